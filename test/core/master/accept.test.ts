import test from "ava";
import {
  FrameworkInfo_Capability_Type as Capability,
  Offer_Operation_Type as OperationType,
  OperationState,
  TaskState,
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
} from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Event_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { launchOf, scalar, task } from "./framework-double.ts";
import { Scenario } from "./scenario.ts";

const aware = { capabilities: [{ type: Capability.PARTITION_AWARE }] };

test("3.8, 6: a STAGING row per task, each an atom of its own; what is left is declined", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  const before = s.steps.length;
  framework.accept([task("t1", agent.id), task("t2", agent.id, { cpus: 2 })]);
  t.deepEqual(s.steps[before]!.atoms.map(({ writes }) => writes.length), [1, 1]);
  const row = s.tables.taskById(framework.id, "t2")!;
  t.regex(row.launchId, /^[0-9a-f]{32}$/);
  t.is(row.state, TaskState.TASK_STAGING);
  t.is(row.agentTerm, 1);
  t.is(row.generation, 1);
  t.is(agent.of("launch").length, 2);
  t.is(framework.offers.size, 0, "refused for 5 s by default");
  s.advance(5_000);
  t.is(framework.offer().resources.find(({ name }) => name === "cpus")?.scalar?.value, 1);
});

test("1.5 each launch has an id of 128 random bits, by which its agent hears of it: a task id may be used again", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  const launches: string[] = [];
  for (let round = 0; round < 3; round++) {
    framework.accept([task("again", agent.id)], undefined, 1);
    const { launchId } = s.tables.taskById(framework.id, "again")!;
    t.regex(launchId, /^[0-9a-f]{32}$/);
    launches.push(launchId);
    t.is(agent.of("launch").at(-1)!.launchId, launchId);
    framework.kill("again");
    t.is(agent.of("kill").at(-1)!.launchId, launchId);
    agent.update("again", TaskState.TASK_KILLED);
    framework.acknowledge();
    t.is(agent.of("acknowledge").at(-1)!.launchId, launchId);
    s.advance(5_000);
  }
  t.is(new Set(launches).size, 3);
  t.is(agent.of("launch").length, 3);
});

test("1.5 of a framework and a task id there is one live row, another framework may use the same id", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe({ failoverTimeout: 60 });
  framework.accept([task("t1", agent.id), task("t1", agent.id), task("t1", agent.id, { cpus: 2 })], undefined, 1);
  t.is(s.tables.tasks.size, 1);
  t.is(agent.of("launch").length, 1);
  framework.disconnect();
  const other = s.subscribe();
  other.accept([task("t1", agent.id)]);
  t.is(s.tables.tasks.size, 2);
  t.not(s.tables.taskById(framework.id, "t1")!.launchId, s.tables.taskById(other.id, "t1")!.launchId);
});

test("Mesos 6.4: operations run in their order, on what is left", (t) => {
  const s = new Scenario();
  const agent = s.agent({ resources: "cpus:2;mem:1024" });
  const framework = s.subscribe();
  const offers = [framework.offer().id!.value!];
  framework.operate([launchOf([task("t1", agent.id)]), launchOf([task("t2", agent.id), task("t3", agent.id)])], offers);
  t.deepEqual([...s.tables.tasks.values()].map((row) => row.info?.taskId?.value), ["t1", "t2"]);
  t.deepEqual(framework.states, ["t3 ERROR"]);
  t.is(framework.update().reason, Reason.REASON_TASK_INVALID);
  t.is(framework.update().source, Source.SOURCE_MASTER);
  t.is(framework.update().uuid, undefined);
  t.regex(framework.update().message!, /uses more resources cpus:1;mem:128 than available mem:768/);
});

test("several offers of one agent add up", (t) => {
  const s = new Scenario();
  const agent = s.agent({ resources: "cpus:2;mem:1024" });
  const framework = s.subscribe();
  framework.accept([task("t1", agent.id)], undefined, 1);
  s.advance(1_000);
  agent.update("t1", TaskState.TASK_FINISHED);
  t.is(framework.offers.size, 2);
  framework.accept([task("t2", agent.id, { cpus: 2 })], [...framework.offers.keys()]);
  t.is(s.tables.taskById(framework.id, "t2")?.state, TaskState.TASK_STAGING);
});

test("S4 LAUNCH of nothing declines with its filters; ACCEPT without operations too", (t) => {
  const s = new Scenario();
  s.agent();
  const framework = s.subscribe();
  framework.accept([], undefined, 20);
  s.advance(19_000);
  t.is(framework.offers.size, 0);
  s.advance(1_000);
  framework.operate([], [framework.offer().id!.value!], 20);
  t.is(framework.offers.size, 0);
});

test("S5 amounts of zero are dropped", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  const resources = [scalar("cpus", 1), scalar("gpus", 0), scalar("mem", 32)];
  framework.accept([task("t1", agent.id, { resources })]);
  t.is(s.tables.taskById(framework.id, "t1")?.info?.resources.length, 2);
});

for (const [what, capabilities, state] of [
  ["DROPPED to PARTITION_AWARE frameworks", aware.capabilities, TaskState.TASK_DROPPED],
  ["LOST to others", [], TaskState.TASK_LOST],
] as const) {
  test(`Mesos 6.3: a launch with an unknown offer is ${what}`, (t) => {
    const s = new Scenario();
    const agent = s.agent();
    const framework = s.subscribe({ capabilities: [...capabilities] });
    t.is(framework.accept([task("t1", agent.id)], ["no such offer"]).code, 202);
    t.is(framework.update().state, state);
    t.is(framework.update().reason, Reason.REASON_INVALID_OFFERS);
    t.regex(framework.update().message!, /^Task launched with invalid offers/);
    t.is(s.tables.tasks.size, 0);
  });
}

test("Mesos 6.3: with one offer dead the others end without a filter", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe(aware);
  framework.accept([task("t1", agent.id)], [framework.offer().id!.value!, "dead"]);
  t.deepEqual(framework.states, ["t1 DROPPED"]);
  t.is(framework.offers.size, 1, "offered again at once");
});

test("10.2 offers of two agents, of two roles, the same twice, or another framework's are not accepted", (t) => {
  const s = new Scenario();
  const agents = [s.agent({ hostname: "h1" }), s.agent({ hostname: "h2" })];
  const framework = s.subscribe(aware);
  const ids = [...framework.offers.keys()];
  framework.accept([task("t1", agents[0]!.id)], ids);
  t.regex(framework.update().message!, /different agents/);
  const [one] = framework.offers.keys();
  framework.accept([task("t2", agents[0]!.id)], [one!, one!]);
  t.regex(framework.update().message!, /listed twice/);
  const other = s.subscribe(aware);
  other.accept([task("t3", agents[0]!.id)], [[...framework.offers.keys()][0]!]);
  t.regex(other.update().message!, /no longer valid/);
  t.is(s.tables.tasks.size, 0);
});

test("10.3 an ACCEPT repeated after an unknown outcome answers the present state and launches nothing", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe({ failoverTimeout: 60 });
  const { id } = framework.offer();
  framework.accept([task("t1", agent.id)]);
  agent.update("t1", TaskState.TASK_RUNNING);
  s.failover();
  framework.subscribe();
  agent.connect();
  framework.accept([task("t1", agent.id)], [id!.value!]);
  t.is(framework.update().state, TaskState.TASK_RUNNING);
  t.is(s.tables.tasks.size, 1);
  t.is(agent.of("launch").length, 1);
});

test("10.3 a live id with other content is an error, whether the offer is good or dead", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.accept([task("t1", agent.id)], undefined, 1);
  s.advance(1_000);
  framework.accept([task("t1", agent.id, { cpus: 2 })]);
  t.is(framework.update().state, TaskState.TASK_ERROR);
  t.regex(framework.update().message!, /in use/);
  framework.accept([task("t1", agent.id, { cpus: 2 })], ["dead"]);
  t.regex(framework.update().message!, /in use/);
  t.is(s.tables.tasks.size, 1);
});

test("10.3 with a dead offer history answers too; with a good one a finished id may be used again", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.accept([task("t1", agent.id)]);
  agent.update("t1", TaskState.TASK_FINISHED);
  framework.acknowledge();
  t.is(s.tables.tasks.size, 0);
  framework.accept([task("t1", agent.id)], ["dead"]);
  t.is(framework.update().state, TaskState.TASK_FINISHED);
  framework.accept([task("t1", agent.id, { cpus: 2 })], ["dead"]);
  t.is(framework.update().state, TaskState.TASK_ERROR);
  framework.accept([task("t1", agent.id)]);
  t.is(s.tables.taskById(framework.id, "t1")?.state, TaskState.TASK_STAGING);
});

test("LAUNCH_GROUP and other operations are refused with a clear text", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.operate(
    [
      { type: OperationType.LAUNCH_GROUP, launchGroup: { taskGroup: { tasks: [task("t1", agent.id)] } } },
      { type: OperationType.RESERVE, reserve: { source: [], resources: [] }, id: { value: "op1" } },
      { type: OperationType.RESERVE, reserve: { source: [], resources: [] } },
      { ...launchOf([task("t2", agent.id)]), id: { value: "op2" } },
    ],
    [framework.offer().id!.value!],
  );
  t.deepEqual(framework.states, ["t1 ERROR", "t2 ERROR"]);
  t.is(framework.updates[0]?.reason, Reason.REASON_TASK_GROUP_INVALID);
  t.regex(framework.updates[0]!.message!, /not supported/);
  const operations = framework.of(Event_Type.UPDATE_OPERATION_STATUS).map((event) => event.updateOperationStatus!.status!);
  t.deepEqual(operations.map(({ operationId, state }) => [operationId?.value, state]), [["op1", OperationState.OPERATION_ERROR]]);
});

test("3.9 a task larger than a batch is refused at the door", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.accept([task("t1", agent.id, { data: new Uint8Array(1_000_000) }), task("t2", agent.id)]);
  t.deepEqual(framework.states, ["t1 ERROR"]);
  t.regex(framework.update().message!, /larger than/);
  t.truthy(s.tables.taskById(framework.id, "t2"));
});

test("3.5 while read-only launches get 503 and keep their offers; declining goes on", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  const id = framework.offer().id!.value!;
  s.state.readOnly = "the store is full";
  t.deepEqual(framework.accept([task("t1", agent.id)], [id]), { code: 503, message: "the store is full" });
  t.true(s.state.offers.has(id));
  t.is(framework.decline(5, [id]).code, 202);
  t.is(framework.kill("t1").code, 503);
  t.is(framework.reconcile().code, 202);
});
