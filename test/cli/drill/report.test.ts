import test from "ava";
import { drillReport, percentile, type DrillFacts, type RoundReport, type TaskCounts } from "../../../src/cli/drill/report.ts";

const facts: DrillFacts = { kind: "crash", id: "x", started_at: "", cluster: "c", version: "1", canaries: 2, rounds: 2, objective_ms: 100 };
const unharmed: TaskCounts = { running_before: 7, lost: 0, killed: 0, restarted: 0, duplicated: 0 };

function round(failover_ms: number, tasks: Partial<TaskCounts> = {}, findings: string[] = []): RoundReport {
  const phases_ms = { detected: failover_ms / 2, first_launch: failover_ms };
  return { round: 1, failover_ms, from: "m1", to: "m2", cause: "crash", phases_ms, tasks: { ...unharmed, ...tasks }, findings };
}

test("held: every round within the objective, to the millisecond", (t) => {
  const report = drillReport(facts, [round(40), round(100)]);
  t.is(report.verdict, "held");
  t.deepEqual(report.failover_ms, { p50: 40, p99: 100, max: 100 });
  t.deepEqual(report.phases_ms, { detected: 20, first_launch: 40 });
  t.deepEqual(report.tasks, unharmed);
});

test("missed: one round took longer, however fast the others were", (t) => {
  t.is(drillReport(facts, [round(1), round(1), round(1), round(100.1)]).verdict, "missed");
});

for (const harm of ["lost", "killed", "restarted", "duplicated"] as const) {
  test(`failed: a task was ${harm}, in whichever round and within the objective`, (t) => {
    const report = drillReport(facts, [round(1), { ...round(2, { [harm]: 1 }, ["a task"]), round: 2 }]);
    t.is(report.verdict, "failed");
    t.is(report.tasks[harm], 1);
    t.deepEqual(report.findings, ["round 2: a task"]);
  });
}

test("failed: a round had no end; those before it are told", (t) => {
  const report = drillReport(facts, [round(5)], "round 2: nobody leads");
  t.is(report.verdict, "failed");
  t.deepEqual(report.findings, ["round 2: nobody leads"]);
  t.is(report.results.length, 1);
  t.deepEqual(drillReport(facts, [], "x").failover_ms, { p50: null, p99: null, max: null });
});

test("percentiles are times that were measured", (t) => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  t.deepEqual([0.5, 0.99, 1].map((share) => percentile(hundred, share)), [50, 99, 100]);
  t.is(percentile([3], 0.5), 3);
  t.is(percentile([], 0.5), null);
});
