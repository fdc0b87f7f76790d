import { LeaderRecord } from "/work/main/src/wire/gen/mesarch/v1/registry.ts";
import { Tables } from "/work/main/src/core/registry/tables.ts";
import { MasterMachine } from "/work/main/src/core/master/machine.ts";
import { defaultMasterSettings } from "/work/main/src/core/master/settings.ts";
import { seededRandom } from "/work/main/src/base/random.ts";
import { sizeOfChange } from "/work/main/src/wire/registry-codec.ts";
const A = 1000, T = 100, F = 10, TOMB = Number(process.argv[2] ?? 0);
const tables = new Tables();
tables.apply({ kind: "meta", id: "", record: { clusterId: "c1", generation: 1, format: 1 } });
const scalar = (name: string, value: number) => ({ name, type: 0, scalar: { value }, reservations: [] });
const info = (i: number) => ({ hostname: `h${i}`, resources: [scalar("cpus", 64), scalar("mem", 65536)], attributes: [], id: { value: `a${i}` } });
for (let i = 0; i < F; i++) tables.apply({ kind: "f", id: `f${i}`, record: { info: { id: { value: `f${i}` }, user: "u", name: "n", roles: ["*"], capabilities: [{ type: 6 }, {type: 2}], failoverTimeout: 1000, offerFilters: {} } as never, principal: "", suppressedRoles: [], standing: { $case: "subscribed", value: { generation: 1, revision: 1 } }, lostByMaster: false } as never });
for (let i = 0; i < TOMB; i++) tables.apply({ kind: "f", id: crypto.randomUUID(), record: { info: undefined, principal: "", suppressedRoles: [], standing: { $case: "removedAt", value: i }, lostByMaster: false } as never });
for (let i = 0; i < A; i++) {
  tables.apply({ kind: "a", id: `a${i}`, record: { info: info(i), incarnation: { starts: 1, nonce: "n" }, address: "x:1", registrationNonce: `r${i}`, term: 1, unreachableTimeMs: 0, deactivated: false, generation: 1, standing: { $case: "in", value: true } } as never });
  for (let k = 0; k < T; k++) {
    const id = (i * T + k).toString(16).padStart(32, "0");
    tables.apply({ kind: "t", id, record: { launchId: id, frameworkId: `f${k % F}`, info: { name: "t", taskId: { value: `t${i}-${k}` }, agentId: { value: `a${i}` }, resources: [scalar("cpus", 0.1), scalar("mem", 16)] }, agentId: `a${i}`, agentTerm: 1, generation: 1, state: 1, latestState: 1, seq: 1, uuid: new Uint8Array(16), traceparent: "", settled: false, settledTold: false, role: "*", launchedAt: 1 } as never });
  }
}
tables.head = { epoch: { generation: 1, revision: 1 }, master: "m", n: 1, ops: 0, clusterClock: 200000 } as never;
const time = <X>(name: string, f: () => X): X => { const t = performance.now(); const x = f(); console.log(name.padEnd(40), (performance.now() - t).toFixed(2), "ms"); return x; };
for (let round = 0; round < 3; round++) {
  console.log("round", round);
  const m = time("new machine", () => new MasterMachine({ leadership: { generation: 1, revision: 10 + round, clusterId: "c1", master: "m1", address: "127.0.0.1:5050", since: 1, electedAtMs: 1 }, settings: defaultMasterSettings, tables, random: seededRandom(1), sizeOf: sizeOfChange, watched: () => false } as never, 1000));
  let now = 1000;
  time("subscribe first", () => m.step({ kind: "subscribe", session: 5000, principal: "", call: { type: 1, frameworkId: { value: "f0" }, subscribe: { frameworkInfo: tables.frameworks.get("f0")!.info, suppressedRoles: [] } } as never }, now));
  time("first deadline step", () => m.step({ kind: "deadline" }, now));
  for (let i = 1; i < F; i++) m.step({ kind: "subscribe", session: 5000 + i, principal: "", call: { type: 1, frameworkId: { value: `f${i}` }, subscribe: { frameworkInfo: tables.frameworks.get(`f${i}`)!.info, suppressedRoles: [] } } as never }, now);
  time("agentOpened x1000", () => { for (let i = 0; i < A; i++) m.step({ kind: "agentOpened", session: i + 1, greeting: { protocol: 1, agentId: `a${i}`, incarnation: { starts: 1, nonce: "n" }, clusterId: "c1", storedEpoch: { generation: 1, revision: 1 }, address: "x:1" } as never }, now); });
  const report = (i: number) => { const d = tables.agentBooks(`a${i}`).digest; return { agentId: `a${i}`, clusterId: "c1", incarnation: { starts: 1, nonce: "n" }, info: info(i), address: "x:1", registrationNonce: `r${i}`, storedEpoch: { generation: 1, revision: 1 }, tasks: { count: d.count, sum: d.sumText }, listed: false, held: [] }; };
  const reports = Array.from({ length: A }, (_, i) => report(i));
  let worst = 0;
  time("report+allocate turn x10 of 100", () => { for (let b = 0; b < 10; b++) { for (let i = b * 100; i < b * 100 + 100; i++) { const t = performance.now(); m.step({ kind: "agentReport", session: i + 1, report: reports[i] as never }, now); const took = performance.now() - t; if (took > 1) console.log('   report', i, took.toFixed(2)); worst = Math.max(worst, took); } const t = performance.now(); while ((m.nextDeadline() ?? Infinity) <= now) m.step({ kind: "deadline" }, now); if (b < 2) console.log("   allocate", (performance.now() - t).toFixed(2)); } });
  console.log("worst report", worst.toFixed(2), "confirmed", m.state.membership.confirmed.size, "offers", m.state.offers.size);
  now += 5000; 
  const rec = LeaderRecord.fromPartial({ epoch: { generation: 1, revision: 10 + round } } as never);
  time("leaderRecord", () => m.step({ kind: "leaderRecord", record: rec as never }, now));
  now = 61_000; for (let k = 0; k < 2000 && (m.nextDeadline() ?? Infinity) <= now; k++) { const d = m.nextDeadline(); const t = performance.now(); m.step({ kind: "deadline" }, now); if (performance.now() - t > 3) console.log("   slow deadline step", d, (performance.now() - t).toFixed(1)); }
}
