/** What the benchmarks make of their measurements. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { hottest } from "../../scripts/bench/profile.ts";
import { high, spread, summarize } from "../../scripts/bench/samples.ts";

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

test("fewer than a hundred rounds have no p99 beside their highest, and do not claim one", (t) => {
  const few = summarize(upTo(30));
  t.deepEqual(few, { p50: 15, p99: 30, max: 30, rounds: 30 });
  t.deepEqual(high(few), { name: "max", value: 30 });
  t.is(spread(few), "p50 15 ms  max 30 ms of 30");
  const many = summarize(upTo(100));
  t.deepEqual(high(many), { name: "p99", value: 99 });
  t.is(spread(many), "p50 50 ms  p99 99 ms  max 100 ms of 100");
});

test("of several processes' profiles the fullest is told, by function, without idle time", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "mesarch-profiles-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const frame = (functionName: string, url = "", lineNumber = 9) => ({ functionName, url, lineNumber });
  const nodes = [
    { id: 1, callFrame: frame("(idle)") },
    { id: 2, callFrame: frame("step", "file:///build/src/core/master/machine.js") },
    { id: 3, callFrame: frame("", "file:///root/node_modules/pino/lib/proto.js", 0) },
  ];
  const profile = { nodes, samples: [1, 2, 2, 3], timeDeltas: [900_000, 2_000, 4_000, 2_000] };
  writeFileSync(join(directory, "leader.cpuprofile"), JSON.stringify(profile));
  writeFileSync(join(directory, "standby.cpuprofile"), JSON.stringify({ nodes, samples: [1, 3], timeDeltas: [900_000, 1_000] }));
  t.deepEqual(hottest("cpu", directory, "/build"), [
    { name: "  profile of the busiest of 2 masters", value: "8 ms of processor time, of which:" },
    { name: "", value: " 75.0 %  step  src/core/master/machine.js:10" },
    { name: "", value: " 25.0 %  (anonymous)  pino/lib/proto.js:1" },
  ]);
  const leaf = { callFrame: frame("put", "file:///build/src/core/registry/tables.js"), selfSize: 3 * 2 ** 20, children: [] };
  writeFileSync(join(directory, "leader.heapprofile"), JSON.stringify({ head: { callFrame: frame("(root)"), selfSize: 0, children: [leaf, leaf] } }));
  t.deepEqual(hottest("heap", directory, "/build").map(({ value }) => value), ["6 MiB, of which:", "100.0 %  put  src/core/registry/tables.js:10"]);
});
