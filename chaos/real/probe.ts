/** `probe`: which faults this machine can do. */
import { Belongings, reap } from "./belongings.ts";
import { missingForCluster } from "./cluster/cluster.ts";
import { IMPATIENT } from "./expectations.ts";
import { PREVIOUS, probe } from "./host/abilities.ts";
import { allFaults, obstacle } from "./nemesis/catalogue.ts";

/** Resolves with the exit code: 1 where not even a cluster can be started. */
export async function tellProbe(json: boolean): Promise<number> {
  const left = await reap();
  const belongings = Belongings.open();
  const missing = await missingForCluster();
  const abilities = [...(await probe(belongings)), { name: "previous" as const, ...PREVIOUS, problem: undefined }];
  left.push(...(await belongings.undo()));
  const faults = allFaults(IMPATIENT.agentPingTimeoutMs).map((kind) => ({ name: kind.name, about: kind.about, works: obstacle(kind, abilities) === undefined, why: obstacle(kind, abilities) }));
  if (json) console.log(JSON.stringify({ missing, abilities: abilities.map(({ name, what, problem }) => ({ name, what, works: problem === undefined, why: problem })), faults }, undefined, 2));
  else {
    for (const problem of missing) console.log(`no cluster can be started: ${problem}`);
    for (const { name, what, problem } of abilities) console.log(`${problem === undefined ? "yes" : "NO "}  ${name.padEnd(12)} ${what}${problem === undefined ? "" : `: ${problem}`}`);
    console.log("");
    for (const { name, about, works } of faults) console.log(`${works ? "yes" : "NO "}  ${name.padEnd(24)} ${about}`);
    console.log(`\n${faults.filter(({ works }) => works).length} of ${faults.length} faults`);
  }
  for (const problem of left) console.error(`not undone: ${problem}`);
  return missing.length === 0 ? 0 : 1;
}
