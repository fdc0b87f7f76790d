/** An ACCEPT of more tasks than one step handles. */
import test from "ava";
import { violations } from "../../../src/core/master/invariants.ts";
import type { Input } from "../../../src/core/master/input.ts";
import type { Step } from "../../../src/core/master/tx.ts";
import { type Offer_Operation, Offer_Operation_Type as OperationType, type TaskInfo } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Call_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { type FrameworkDouble, launchOf, task } from "./framework-double.ts";
import { Scenario } from "./scenario.ts";

const MANY = "cpus:1000;mem:100000;ports:[1-2000]";

function tasksOn(agentId: string, count: number): TaskInfo[] {
  return Array.from({ length: count }, (_, n) => task(`t${n}`, agentId, { mem: 32 }));
}

function acceptOf(framework: FrameworkDouble, operations: Offer_Operation[], offerIds: readonly string[]): Input {
  const accept = { offerIds: offerIds.map((value) => ({ value })), operations, filters: { refuseSeconds: 60 } };
  const call = { frameworkId: { value: framework.id }, type: Call_Type.ACCEPT, accept };
  return { kind: "call", session: framework.session, principal: "", call, token: 7, traceparent: "trace" };
}

/** Every step of an input, its invariants checked; `between` happens before each step but the first. */
function stepsOf(s: Scenario, input: Input, between: (taken: number) => void = () => {}): Step[] {
  const steps: Step[] = [];
  for (let next: Input | undefined = input; next !== undefined; next = steps.at(-1)!.rest) {
    if (steps.length > 0) between(steps.length);
    steps.push(s.machine.step(next, s.now));
    const broken = violations(s.state);
    if (broken.length > 0) throw new Error(JSON.stringify(broken));
  }
  return steps;
}

const replies = ({ words }: Step): number[] => words.flatMap((word) => (word.kind === "reply" && word.token === 7 ? [word.code] : []));

test("3.8 an ACCEPT of many tasks is handled in short steps, in its order, and the last one answers", (t) => {
  const s = new Scenario();
  const agent = s.agent({ resources: MANY });
  const framework = s.subscribe();
  const all = tasksOn(agent.id, 450);
  const operations = [launchOf(all.slice(0, 130)), launchOf([]), launchOf(all.slice(130))];
  const steps = stepsOf(s, acceptOf(framework, operations, [framework.offer().id!.value!]));
  t.deepEqual(steps.map(({ atoms }) => atoms.length), [100, 100, 100, 100, 50]);
  t.deepEqual(steps.map(replies), [[], [], [], [], [202]]);
  t.deepEqual([...s.tables.tasks.values()].map(({ info }) => info?.taskId?.value), all.map(({ taskId }) => taskId?.value));
  t.true([...s.tables.tasks.values()].every(({ traceparent }) => traceparent === "trace"));
  t.is(s.state.offers.size, 0);
  t.is(s.state.allocator.available(agent.id).scalar("cpus"), 550_000, "what is left is declined");
  s.advance(59_000);
  t.is(s.state.offers.size, 0, "with the filters of the call");
  s.advance(1_000);
  t.is(s.state.offers.size, 1);
});

test("3.8 repeated, it launches nothing, in steps as short", (t) => {
  const s = new Scenario();
  const agent = s.agent({ resources: MANY });
  const framework = s.subscribe();
  const offerIds = [framework.offer().id!.value!];
  const input = acceptOf(framework, [launchOf(tasksOn(agent.id, 250))], offerIds);
  stepsOf(s, input);
  const again = stepsOf(s, input);
  t.deepEqual(again.map(({ atoms, words }) => [atoms.length, words.length]), [[0, 100], [0, 100], [0, 51]]);
  t.is(s.tables.tasks.size, 250);
});

test("Mesos 6.3: offers that are not valid together are so for every task, with one reason", (t) => {
  const s = new Scenario();
  const [one, two] = [s.agent({ resources: MANY }), s.agent({ resources: MANY })];
  const framework = s.subscribe();
  const steps = stepsOf(s, acceptOf(framework, [launchOf(tasksOn(one!.id, 250))], [...framework.offers.keys()]));
  const said = steps.flatMap(({ words }) => words.flatMap((word) => (word.kind === "event" ? [word.event.update?.status?.message] : [])));
  t.is(said.length, 250);
  t.deepEqual([...new Set(said)], ["Task launched with invalid offers: Offers are of different agents"]);
  t.is(s.state.allocator.available(two!.id).scalar("cpus"), 1_000_000);
});

test("13.4 operations without tasks count as well", (t) => {
  const s = new Scenario();
  s.agent({ resources: MANY });
  const framework = s.subscribe();
  const reserve: Offer_Operation = { type: OperationType.RESERVE, id: { value: "o" } };
  const steps = stepsOf(s, acceptOf(framework, Array.from({ length: 150 }, () => reserve), [framework.offer().id!.value!]));
  t.deepEqual(steps.map(({ words }) => words.length), [100, 51]);
});

test("10.2, 10.3 when the agent goes away in between, its offer ends, and what was not launched is dropped", (t) => {
  const s = new Scenario();
  const agent = s.agent({ resources: MANY });
  const framework = s.subscribe();
  const steps = stepsOf(s, acceptOf(framework, [launchOf(tasksOn(agent.id, 250))], [framework.offer().id!.value!]), (taken) => {
    if (taken === 1) s.step({ kind: "agentClosed", session: agent.session });
  });
  t.is(s.tables.tasks.size, 100);
  t.deepEqual(steps.map(replies), [[], [], [202]]);
  const dropped = steps.flatMap(({ words }) => words.filter(({ kind }) => kind === "event"));
  t.is(dropped.length, 150);
});

test("3.6 a store that falls silent in between leaves no half of it unanswered", (t) => {
  const s = new Scenario();
  const agent = s.agent({ resources: MANY });
  const framework = s.subscribe();
  const steps = stepsOf(s, acceptOf(framework, [launchOf(tasksOn(agent.id, 250))], [framework.offer().id!.value!]), () => {
    s.step({ kind: "mute", on: true });
  });
  t.is(s.tables.tasks.size, 250);
  t.deepEqual(steps.map(replies), [[], [], [202]], "it waits for the store, as one step would");
});

test("Mesos 6.5: a stream that ends in between takes the offer and the rest of the call with it", (t) => {
  const s = new Scenario();
  const agent = s.agent({ resources: MANY });
  const framework = s.subscribe({ failoverTimeout: 60 });
  const steps = stepsOf(s, acceptOf(framework, [launchOf(tasksOn(agent.id, 250))], [framework.offer().id!.value!]), (taken) => {
    if (taken === 1) framework.disconnect();
  });
  t.is(s.tables.tasks.size, 100);
  t.deepEqual(steps.flatMap(replies), []);
  t.is(s.state.offers.size, 0);
  t.is(s.state.allocator.available(agent.id).scalar("cpus"), 900_000);
});
