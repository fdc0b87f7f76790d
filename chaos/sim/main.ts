import { run } from "./run.ts";
import { drawPlan } from "./plan.ts";
const seeds = process.argv.slice(2).map(Number);
const [from = 1, to = from] = seeds;
for (let seed = from; seed <= to; seed += 1) {
  const startedAt = performance.now();
  const { events, digest, complaints, history, plan } = await run(drawPlan(seed));
  const kinds = [...new Set(plan.faults.map(({ name }) => name))];
  const bad = history.filter((event) => event.op === "complaint");
  console.log(seed, digest, `${events} events`, `${history.length} history`, `${Math.round(performance.now() - startedAt)} ms`, complaints.length + bad.length > 0 ? "RED" : "ok", kinds.join(","));
  for (const complaint of complaints) console.log("   ", complaint);
  for (const event of bad.slice(0, 3)) console.log("   ", event.t, JSON.stringify(event.value).slice(0, 600));
}
