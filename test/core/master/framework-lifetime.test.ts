import test from "ava";
import { TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Call_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { type FrameworkDouble, task } from "./framework-double.ts";
import { Scenario } from "./scenario.ts";

const standing = (s: Scenario, framework: FrameworkDouble) => s.tables.frameworks.get(framework.id)?.standing?.$case;

test("10.5 without failover_timeout a lost framework is removed at once, its tasks killed", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.accept([task("t1", agent.id)]);
  agent.update("t1", TaskState.TASK_RUNNING);
  framework.disconnect();
  t.is(standing(s, framework), "removedAt");
  t.is(agent.of("kill").length, 1);
});

test("10.5 a lost framework has its failover_timeout to come back", (t) => {
  const s = new Scenario();
  const framework = s.subscribe({ failoverTimeout: 60 });
  framework.disconnect();
  t.is(standing(s, framework), "disconnectedAt");
  s.advance(59_000);
  t.is(standing(s, framework), "disconnectedAt");
  framework.subscribe();
  s.advance(100_000);
  t.is(standing(s, framework), "subscribed");
  framework.disconnect();
  s.advance(60_000);
  t.is(standing(s, framework), "removedAt");
});

test("10.5 a stream that we closed, or lost while mute, gets at least ten minutes", (t) => {
  const s = new Scenario();
  const [closed, mute] = [s.subscribe(), s.subscribe()];
  closed.disconnect(true);
  s.step({ kind: "mute", on: true });
  mute.disconnect();
  s.step({ kind: "mute", on: false });
  s.advance(599_000);
  t.is(standing(s, closed), "disconnectedAt");
  t.is(standing(s, mute), "disconnectedAt");
  s.advance(1_000);
  t.is(standing(s, closed), "removedAt");
});

test("10.5 losing more than half of at least three at once is not their fault", (t) => {
  const s = new Scenario();
  const [a, b, c, d, e] = [1, 2, 3, 4, 5].map(() => s.subscribe()) as [FrameworkDouble, FrameworkDouble, FrameworkDouble, FrameworkDouble, FrameworkDouble];
  a.disconnect();
  s.advance(2_000);
  b.disconnect();
  c.disconnect();
  s.advance(599_000);
  for (const lost of [a, b, c]) t.is(standing(s, lost), "disconnectedAt");
  for (const kept of [d, e]) t.is(standing(s, kept), "subscribed");
  s.advance(10_000);
  t.is(standing(s, a), "removedAt");
});

test("10.5 losing fewer is: without failover_timeout they end once that is clear", (t) => {
  const s = new Scenario();
  const [a, b] = [1, 2, 3, 4].map(() => s.subscribe()) as [FrameworkDouble, FrameworkDouble];
  a.disconnect();
  b.disconnect();
  t.is(standing(s, a), "disconnectedAt");
  s.advance(5_000);
  t.is(standing(s, a), "removedAt");
  t.is(standing(s, b), "removedAt");
});

test("5.2, 10.5 after a failover nobody is torn down for timeout 0: away from the new leader's start, ten minutes", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.accept([task("t1", agent.id)]);
  s.advance(7_000);
  s.failover();
  s.advance(29_000);
  t.is(standing(s, framework), "subscribed", "not written within the window");
  s.advance(2_000);
  t.deepEqual(s.tables.frameworks.get(framework.id)?.standing, { $case: "disconnectedAt", value: 7 });
  s.advance(568_000);
  t.is(standing(s, framework), "disconnectedAt");
  s.advance(2_000);
  t.is(standing(s, framework), "removedAt");
});

test("11.1 a failover timeout goes on under the next leader; time without a leader does not count", (t) => {
  const s = new Scenario();
  const framework = s.subscribe({ failoverTimeout: 100 });
  framework.disconnect();
  s.advance(40_000);
  s.failover({ leaderlessMs: 500_000 });
  s.advance(59_000);
  t.is(standing(s, framework), "disconnectedAt");
  s.advance(3_000);
  t.is(standing(s, framework), "removedAt");
});

test("4.1 teardown is one write whatever the framework ran; the answer comes before the stream ends", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe({ failoverTimeout: 60 });
  framework.accept([1, 2, 3].map((n) => task(`t${n}`, agent.id)));
  const [steps, words] = [s.steps.length, s.words.length];
  t.is(framework.call({ type: Call_Type.TEARDOWN }).code, 202);
  t.is(s.steps[steps]!.atoms.length, 1);
  t.is(agent.of("kill").length, 3);
  const said = s.words.slice(words).map((word) => word.kind);
  t.true(said.indexOf("reply") < said.indexOf("closeScheduler"));
  t.deepEqual(framework.updates, []);
  t.is(framework.call({ type: Call_Type.TEARDOWN }).message, "Framework cannot be found");
});

test("3.6 nobody is removed while we are mute: nobody could come back", (t) => {
  const s = new Scenario();
  const framework = s.subscribe({ failoverTimeout: 10 });
  framework.disconnect();
  s.step({ kind: "mute", on: true });
  s.advance(60_000);
  t.is(standing(s, framework), "disconnectedAt");
  s.step({ kind: "mute", on: false });
  s.advance(10_000);
  t.is(standing(s, framework), "removedAt");
});
