import { SchedulerCalls } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import { AgentBatch } from "../../src/wire/gen/mesarch/v1/agents.ts";
import { Rig, RawScheduler, pair } from "./rig.ts";
import fc from "fast-check";
import { setTimeout as delay } from "node:timers/promises";
import { Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
const mb = Number(process.argv[2] ?? 16);
if (process.argv[3] === "decode") {
const tiny = Buffer.alloc(mb*1024*1024 - 16);
for (let at = 0; at < tiny.length; at += 2) tiny[at] = 0x0a;
let s = performance.now();
const m = SchedulerCalls.decode(tiny);
console.log("decode", m.calls.length, Math.round(performance.now() - s), "ms", Math.round(process.memoryUsage().heapUsed/1e6), "MB");
s = performance.now();
const b = AgentBatch.decode(tiny);
console.log("decode agent", b.messages.length, Math.round(performance.now() - s), "ms");
} else {
  const rig = await Rig.start();
  const { scheduler, agent } = await pair(rig, "honest");
  const one = scheduler.encode({ type: Call_Type.SUBSCRIBE, subscribe: { frameworkInfo: { user: "u", name: "n", roles: ["a", "b"] }, suppressedRoles: ["a"] } });
  for (const sample of fc.sample(fc.uint8Array({ maxLength: 300 }), { numRuns: 400, seed: 42 })) {
    const hostile = new RawScheduler(rig, "hostile");
    if (sample.length % 2 === 0) hostile.subscribe();
    hostile.raw(sample);
    if (sample.length % 16 === 0) await delay(1);
    if (sample.length % 3 === 0) hostile.close();
  }
  console.log("sent");
  for (let i = 0; i < 8; i++) {
    await delay(1000);
    const s = performance.now();
    console.log(i, await rig.trouble(), Math.round(performance.now()-s), rig.epoch, rig.master.leading);
  }
  console.log(rig.telemetry.lines.map(l=>l.message).slice(0,10));
  process.exit(0);
}
