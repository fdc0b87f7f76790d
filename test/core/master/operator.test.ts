import test from "ava";
import type { OperatorResponse } from "../../../src/wire/gen/mesarch/v1/operator.ts";
import { TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { dumpPage } from "../../../src/core/master/registry-dump.ts";
import { Tables } from "../../../src/core/registry/tables.ts";
import { FrameworkRecord } from "../../../src/wire/gen/mesarch/v1/registry.ts";
import type { Output } from "../../../src/core/master/output.ts";
import { answerFromTables, snapshotEvents } from "../../../src/core/master/view.ts";
import { task } from "./framework-double.ts";
import { Scenario } from "./scenario.ts";

type Answer = NonNullable<OperatorResponse["answer"]>;

function answer<C extends Answer["$case"]>(word: Output, $case: C): Extract<Answer, { $case: C }>["value"] {
  const said: Answer | undefined = word.kind === "operatorReply" ? word.response.answer : undefined;
  if (said?.$case !== $case) throw new Error(JSON.stringify(word));
  return said.value as never;
}

function refusal(word: Output): string {
  if (word.kind !== "operatorRefusal") throw new Error(JSON.stringify(word));
  return `${word.code}: ${word.message}`;
}

function running(): { s: Scenario; agent: ReturnType<Scenario["agent"]>; framework: ReturnType<Scenario["subscribe"]> } {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.accept([task("web-1", agent.id), task("web-2", agent.id)]);
  agent.update("web-1", TaskState.TASK_RUNNING);
  return { s, agent, framework };
}

test("status counts agents, frameworks and tasks as shown, and warns", (t) => {
  const { s } = running();
  s.advance(2_500);
  const status = answer(s.operator({ $case: "getStatus", value: {} }), "status");
  t.is(status.leader, "m1");
  t.is(status.agentsConfirmed, 1);
  t.is(status.frameworksActive, 1);
  t.is(status.ledForMs, 2_500);
  t.deepEqual(status.tasks, { TASK_RUNNING: 1, TASK_STAGING: 1 });
  s.step({ kind: "mute", on: true });
  t.is(answer(s.operator({ $case: "getStatus", value: {} }), "status").warnings.length, 1);
});

test("agents and frameworks are listed with what is used and offered", (t) => {
  const { s, agent, framework } = running();
  s.advance(5_000);
  const [shown] = answer(s.operator({ $case: "listAgents", value: {} }), "agents").agents;
  t.is(shown?.id, agent.id);
  t.true(shown?.confirmed);
  t.is(shown?.tasks, 2);
  t.is(shown?.used.find(({ name }) => name === "cpus")?.scalar?.value, 2);
  t.is(shown?.offered.find(({ name }) => name === "cpus")?.scalar?.value, 2);
  const [one] = answer(s.operator({ $case: "listFrameworks", value: {} }), "frameworks").frameworks;
  t.is(one?.id, framework.id);
  t.is(one?.used.find(({ name }) => name === "mem")?.scalar?.value, 256);
});

test("tasks are listed newest first, filtered, limited, with finished ones on demand", (t) => {
  const { s, agent, framework } = running();
  agent.update("web-1", TaskState.TASK_FINISHED);
  framework.acknowledge();
  const list = (more: object) =>
    answer(s.operator({ $case: "listTasks", value: { frameworkId: "", agentId: "", finished: false, limit: 0, ...more } }), "tasks");
  const names = (more: object) => list(more).tasks.map(({ record }) => record?.info?.taskId?.value);
  t.deepEqual(names({}), ["web-2"]);
  t.deepEqual(names({ finished: true }).sort(), ["web-1", "web-2"]);
  t.deepEqual(names({ frameworkId: "x" }), []);
  t.true(list({ finished: true, limit: 1 }).truncated);
});

test("4.5 what the master ended is listed with the finished ones, while its row waits for the framework to hear of it", (t) => {
  const { s, agent } = running();
  s.operator({ $case: "markAgentGone", value: { agentId: agent.id } });
  const list = (finished: boolean) =>
    answer(s.operator({ $case: "listTasks", value: { frameworkId: "", agentId: "", finished, limit: 0 } }), "tasks").tasks;
  t.deepEqual(list(false), []);
  t.deepEqual(
    list(true).map(({ shownState, finished }) => ({ shownState, finished })),
    Array.from({ length: 2 }, () => ({ shownState: TaskState.TASK_GONE_BY_OPERATOR, finished: true })),
  );
});

test("a task is found by its id, its launch id or a unique beginning, finished ones too", (t) => {
  const { s, agent, framework } = running();
  const get = (id: string) => s.operator({ $case: "getTask", value: { id } });
  t.is(answer(get("web-1"), "tasks").tasks[0]?.shownState, TaskState.TASK_RUNNING);
  const { launchId } = s.tables.taskById(framework.id, "web-2")!;
  t.is(answer(get(launchId.slice(0, 12)), "tasks").tasks[0]?.record?.info?.taskId?.value, "web-2");
  t.regex(refusal(get("web-")), /^invalid: .*several/);
  t.regex(refusal(get("db")), /^notFound/);
  t.regex(refusal(get("")), /^notFound/);
  agent.update("web-1", TaskState.TASK_FINISHED);
  framework.acknowledge();
  t.true(answer(get("web-1"), "tasks").tasks[0]?.finished);
});

test("a whole id means that task and no other, be it finished, or another's id begin like it", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe({ failoverTimeout: 60 });
  framework.accept([task("web-1", agent.id), task("web-10", agent.id)]);
  agent.update("web-1", TaskState.TASK_FINISHED);
  framework.acknowledge();
  t.regex(refusal(s.operator({ $case: "killTask", value: { id: "web-1" } })), /^refused: .*ended already/);
  t.is(agent.of("kill").length, 0);
  framework.disconnect();
  const other = s.subscribe();
  other.accept([task("web-1", agent.id)]);
  t.is(answer(s.operator({ $case: "getTask", value: { id: "web-1" } }), "tasks").tasks[0]?.record?.frameworkId, other.id);
});

test("6.4 an operator's kill is the same order; of an ended task it is refused", (t) => {
  const { s, agent, framework } = running();
  answer(s.operator({ $case: "killTask", value: { id: "web-1", graceMs: 500 } }), "done");
  t.is(agent.of("kill")[0]?.graceMs, 500);
  agent.update("web-1", TaskState.TASK_KILLED);
  t.regex(refusal(s.operator({ $case: "killTask", value: { id: "web-1" } })), /^refused/);
  t.is(framework.states.at(-1), "web-1 KILLED");
});

test("teardown, gone, active, weight: by id or a unique beginning", (t) => {
  const { s, agent, framework } = running();
  answer(s.operator({ $case: "setAgentActive", value: { agentId: agent.id, active: false } }), "done");
  s.advance(6_000);
  t.is(framework.offers.size, 0);
  answer(s.operator({ $case: "setAgentActive", value: { agentId: agent.id.slice(0, -1), active: true } }), "done");
  s.settle();
  t.is(framework.offers.size, 1);
  answer(s.operator({ $case: "setWeight", value: { role: "*", weight: 2 } }), "done");
  t.is(s.tables.weights.get("*"), 2);
  s.settle();
  t.is(framework.offers.size, 1, "rescinded and offered again");
  t.regex(refusal(s.operator({ $case: "setWeight", value: { role: "*", weight: 0 } })), /^invalid/);
  t.regex(refusal(s.operator({ $case: "setWeight", value: { role: "a//b", weight: 1 } })), /^invalid/);
  answer(s.operator({ $case: "teardownFramework", value: { frameworkId: framework.id } }), "done");
  t.false(framework.open);
  t.regex(refusal(s.operator({ $case: "teardownFramework", value: { frameworkId: "x" } })), /^notFound/);
  answer(s.operator({ $case: "markAgentGone", value: { agentId: agent.id } }), "done");
  t.is(s.tables.agents.get(agent.id)?.standing?.$case, "goneAt");
});

test("a whole id of an agent that is forgotten means none, though another's id begin like it", (t) => {
  const s = new Scenario();
  const agents = Array.from({ length: 11 }, () => s.agent());
  const [forgotten, other] = [agents[1]!.id, agents[10]!.id];
  t.true(other.startsWith(forgotten));
  agents[1]!.disconnect();
  s.tables.apply({ kind: "a", id: forgotten, record: undefined });
  t.regex(refusal(s.operator({ $case: "markAgentGone", value: { agentId: forgotten } })), /^notFound/);
  t.is(s.tables.agents.get(other)?.standing?.$case, "in");
});

test("3.9 a weight of a role that is too long is refused, with '/' in it or not", (t) => {
  const s = new Scenario();
  for (const role of ["x".repeat(900_000), `a/${"x".repeat(900_000)}`, Array.from({ length: 40 }, () => "a").join("/")]) {
    t.regex(refusal(s.operator({ $case: "setWeight", value: { role, weight: 2 } })), /^invalid: .{0,200}$/);
  }
  t.is(s.tables.weights.size, 0);
});

test("step-down hands over, and that is the last word of its step", (t) => {
  const s = new Scenario();
  t.is(s.operator({ $case: "stepDown", value: {} }).kind, "handOver");
  t.is(s.words.at(-1)?.kind, "handOver");
});

test("3.5 while read-only orders are refused, questions are answered", (t) => {
  const { s } = running();
  s.state.readOnly = "the store is full";
  t.is(refusal(s.operator({ $case: "killTask", value: { id: "web-1" } })), "unavailable: the store is full");
  t.is(answer(s.operator({ $case: "getTask", value: { id: "web-1" } }), "tasks").tasks.length, 1);
});

test("the registry is dumped in pages, in the order of keys, as JSON", (t) => {
  const { s, framework } = running();
  const keys: string[] = [];
  let after = "";
  do {
    const page = answer(s.operator({ $case: "dumpRegistry", value: { kinds: [], after, limit: 2 } }), "registry");
    for (const row of page.rows) keys.push(row.key);
    after = page.next;
  } while (after !== "");
  t.deepEqual(keys, [...keys].sort());
  t.is(keys.length, 4);
  const page = answer(s.operator({ $case: "dumpRegistry", value: { kinds: ["t"], after: "", limit: 0 } }), "registry");
  const rows = page.rows.map(({ json }) => JSON.parse(json) as { uuid: string; frameworkId: string });
  t.deepEqual(rows.map(({ uuid }) => uuid.length).sort(), [0, 32]);
  t.true(rows.every(({ frameworkId }) => frameworkId === framework.id));
  t.regex(refusal(s.operator({ $case: "dumpRegistry", value: { kinds: ["z"], after: "", limit: 0 } })), /^invalid/);
});

test("13.4 a page of the registry is bounded in rows and in text, and the next one goes on from there", (t) => {
  const tables = new Tables();
  for (let i = 0; i < 1_500; i++) tables.apply({ kind: "w", id: `r${(i * 7919) % 1_500}`, record: { role: "", weight: 2 } });
  for (let i = 0; i < 30; i++) {
    const record = FrameworkRecord.fromPartial({ principal: "p".repeat(1_000_000) });
    tables.apply({ kind: "f", id: `f${i}`, record });
  }
  const keys: string[] = [];
  let pages = 0;
  for (let after = ""; after !== "" || pages === 0; pages++) {
    const page = dumpPage(tables, { kinds: [], after, limit: 0 });
    t.true(page.rows.length <= 1_000 && page.rows.reduce((sum, { json }) => sum + json.length, 0) < 9_000_000);
    keys.push(...page.rows.map(({ key }) => key));
    after = page.next;
  }
  t.deepEqual(keys, [...tables.frameworks.keys()].map((id) => `f/${id}`).concat([...tables.weights.keys()].map((id) => `w/${id}`)).sort());
  t.true(pages >= 5);
});

test("a standby answers questions from tables alone, and no orders", (t) => {
  const { s } = running();
  const status = answerFromTables(s.tables, undefined, { allowStale: true, call: { $case: "getStatus", value: {} } });
  t.is(status?.$case, "status");
  t.is(answerFromTables(s.tables, undefined, { allowStale: true, call: { $case: "killTask", value: { id: "web-1" } } }), undefined);
  t.is(answerFromTables(s.tables, undefined, { allowStale: true, call: undefined }), undefined);
  t.is([...snapshotEvents(s.state)].length, 4);
});
