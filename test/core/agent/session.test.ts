import test from "ava";
import { Refusal_Kind as Kind } from "../../../src/wire/gen/mesarch/v1/agents.ts";
import { AGENT, AgentWorld, CLUSTER, RUNNING, exited, launchId, launchOrder } from "./agent-world.ts";

test("8.2: lead, epoch stored, then the report; confirmed, it knows its id", (t) => {
  const world = AgentWorld.started();
  const link = world.link();
  t.deepEqual(world.take(), ["greeting"]);
  const { writes, outputs } = world.machine.step(
    {
      kind: "fromMaster",
      link: link.id,
      batch: { clusterId: CLUSTER, epoch: { generation: 1, revision: 7 }, session: 1, messages: [{ body: { $case: "lead", value: { pingTimeoutMs: 0 } } }] },
    },
    0,
    0,
  );
  t.deepEqual(writes, [{ kind: "epoch", epoch: { generation: 1, revision: 7 } }], "the report waits for this write");
  t.is(outputs.length, 1);
  link.session = 1;
  link.revision = 7;
  link.confirm();
  t.is(world.machine.state.identity.agentId, AGENT);
  t.is(world.machine.state.identity.clusterId, CLUSTER);
});

test("8.2, 12.1: a lower epoch is refused, naming the stored one; also after a restart", (t) => {
  const world = AgentWorld.started();
  world.confirmed(7);
  const old = world.link();
  world.take();
  old.lead(6);
  t.deepEqual(world.take(), ["refused, obeys 7"]);
  world.restart();
  const again = world.link();
  world.take();
  again.lead(6);
  t.deepEqual(world.take(), ["refused, obeys 7"]);
});

test("12.1: the epoch is checked when a word is acted on: an order of the old leader in the queue is refused", (t) => {
  const world = AgentWorld.started();
  const old = world.confirmed(5);
  const successor = world.link();
  successor.lead(6);
  world.take();
  old.launch(1);
  t.deepEqual(world.take(), ["refused, obeys 6"]);
  t.is(world.machine.state.tasks.size, 0);
});

test("8.2: an equal epoch begins a new session; what was said in the old one is not heard", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed(5);
  const order = launchOrder(1);
  link.lead(5);
  t.deepEqual(world.take(), ["report digest 0"]);
  link.say(order, { session: 1 });
  t.deepEqual(world.take(), []);
  link.confirm();
  link.say(order);
  t.deepEqual(world.take(), ["start 1"]);
});

test("8.2, 12.1: a late word of an older session is dropped when acted on, also in one that is confirmed", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed(5);
  const older = { session: link.session };
  link.launch(1);
  world.run(1, RUNNING);
  const update = world.update();
  link.lead(5);
  link.confirm();
  world.take();
  const { journal, machine } = world;
  const before = { records: journal.length, heardAt: machine.state.leader!.heardAt };
  world.now += 1_000;
  link.say(launchOrder(2), older);
  link.say({ $case: "kill", value: { launchId: launchId(1), graceMs: 0 } }, older);
  link.say({ $case: "acknowledge", value: { launchId: launchId(1), uuid: Buffer.from(update.status!.uuid!) } }, older);
  link.say({ $case: "ping", value: { sequence: 1 } }, older);
  link.say({ $case: "refusal", value: { kind: Kind.KIND_GONE, reason: "operator", retryMs: 0 } }, older);
  t.deepEqual(world.take(), []);
  t.is(journal.length, before.records);
  t.is(machine.state.leader!.heardAt, before.heardAt, "nor does it count as a sign of life");
  link.launch(3);
  t.deepEqual(world.take(), ["start 3"]);
});

test("12.1: in the confirmed session, too, a word of a lower epoch is refused and one of a higher epoch not heard", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed(5);
  link.say(launchOrder(1), { revision: 4 });
  t.deepEqual(world.take(), ["refused, obeys 5"]);
  link.say(launchOrder(1), { revision: 9, generation: 0 });
  t.deepEqual(world.take(), ["refused, obeys 5"], "generations come first");
  link.say(launchOrder(1), { revision: 6 });
  t.deepEqual(world.take(), [], "a new epoch begins with lead");
  t.is(world.machine.state.tasks.size, 0);
});

test("8.2: nobody but the leader's link is heard, whatever epoch it names", (t) => {
  const world = AgentWorld.started();
  world.confirmed(5);
  const other = world.link();
  world.take();
  other.say(launchOrder(1), { revision: 5, session: 1 });
  other.say(launchOrder(2), { revision: 9, session: 1 });
  t.deepEqual(world.take(), []);
});

test("8.5: between report and confirm nothing but the verdict is heard", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed(5);
  link.launch(1);
  world.run(1, RUNNING);
  const update = world.update();
  link.lead(6);
  world.take();
  link.launch(2);
  link.kill(1);
  link.acknowledge(update);
  link.say({ $case: "ping", value: { sequence: 1 } });
  t.deepEqual(world.take(), ["pong"]);
  t.is(world.machine.state.tasks.size, 1);
  link.confirm();
  t.deepEqual(world.take(), ["update 1.1 TASK_RUNNING"]);
});

test("9.3: the first session of a process gets a list, later ones a digest, an older generation a list again", (t) => {
  const world = AgentWorld.started();
  const link = world.link();
  link.lead(5);
  t.true(world.report().listed);
  link.confirm();
  link.launch(1);
  world.run(1, RUNNING);
  link.lead(8);
  const report = world.report();
  t.false(report.listed);
  t.is(report.tasks!.count, 1);
  t.is(report.tasks!.sum, launchId(1));
  t.is(report.storedEpoch!.revision, 5);
  link.confirm();
  link.lead(3, { generation: 2 });
  t.true(world.report().listed, "13.2: after a restore the registry may know less");
});

test("9.1: what is under way leaves the digest as it is: only what is held counts", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  link.lead(6);
  const { tasks } = world.report();
  link.confirm();
  world.run(1, RUNNING);
  link.kill(1);
  link.lead(7);
  t.deepEqual(world.report().tasks, tasks);
});

test("9.2: a list on request, with the infos to adopt what the registry does not know", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  link.lead(6);
  link.say({ $case: "listWanted", value: { withInfos: false } });
  t.is(world.report().held[0]!.info, undefined);
  link.say({ $case: "listWanted", value: { withInfos: true } });
  const [held] = world.report().held;
  t.is(held!.taskId, "task-1");
  t.is(held!.frameworkId, "framework-1");
  t.is(held!.info!.command!.value, "true");
  t.is(held!.framework!.name, "f");
});

test("8.7: an agent without id says the same nonce until it has one, also after a restart", (t) => {
  const world = AgentWorld.started();
  world.link().lead(5);
  const nonce = world.report().registrationNonce;
  t.is(nonce.length, 32);
  world.restart();
  world.link().lead(6);
  t.is(world.report().registrationNonce, nonce);
  t.is(world.report().incarnation!.starts, 2);
});

test("7.1: heads are said in every new session, once it is confirmed", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, RUNNING);
  t.deepEqual(world.take(), ["start 1", "update 1.1 TASK_RUNNING"]);
  const successor = world.link();
  successor.lead(6);
  t.deepEqual(world.take(), ["greeting", "report digest 1"]);
  successor.confirm();
  t.deepEqual(world.take(), ["update 1.1 TASK_RUNNING"]);
});

test("7.1: the leader says that a framework is here: its heads, and no others", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  link.launch(2, { framework: { id: { value: "framework-2" } } });
  world.run(1, RUNNING);
  world.run(2, RUNNING);
  world.take();
  link.say({ $case: "resendUpdates", value: { frameworkId: "framework-2" } });
  t.deepEqual(world.take(), ["update 2.1 TASK_RUNNING"]);
});

test("a ping is answered, and silence for the timeout closes the leader's link", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  world.pass(70_000);
  link.say({ $case: "ping", value: { sequence: 3 } });
  t.deepEqual(world.take(), ["pong"]);
  world.pass(74_999);
  t.deepEqual(world.take(), []);
  world.pass(1);
  t.deepEqual(world.take(), ["close 1"]);
  link.launch(1);
  t.deepEqual(world.take(), [], "its words in the queue are not heard any more");
});

test("a leader whose link closed is none", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  link.close();
  world.take();
  world.run(1, RUNNING);
  t.deepEqual(world.take(), []);
  const again = world.confirmed(5);
  t.is(again.id, 2);
});

test("5.3: told to come later, it reports again after that time, in the same session only", (t) => {
  const world = AgentWorld.started();
  const link = world.link();
  link.lead(5);
  world.take();
  link.say({ $case: "refusal", value: { kind: Kind.KIND_LATER, reason: "herd", retryMs: 400 } });
  world.pass(399);
  t.deepEqual(world.take(), []);
  world.pass(1);
  t.deepEqual(world.take(), ["report list 0"]);
  link.say({ $case: "refusal", value: { kind: Kind.KIND_LATER, reason: "herd", retryMs: 400 } });
  link.close();
  world.pass(1000);
  t.deepEqual(world.take(), []);
});

test("8.6: a duplicate leaves and touches no task", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, RUNNING);
  world.take();
  link.say({ $case: "refusal", value: { kind: Kind.KIND_DUPLICATE, reason: "cloned", retryMs: 0 } });
  t.deepEqual(world.take(), ["leave duplicate"]);
});

test("gone by the registry's word: it ends its tasks, then itself; new ones are dropped", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, RUNNING);
  world.take();
  link.say({ $case: "refusal", value: { kind: Kind.KIND_GONE, reason: "operator", retryMs: 0 } });
  t.deepEqual(world.take(), ["kill 1 3000"]);
  world.run(1, exited(143, true));
  t.true(world.take().includes("leave gone"));
});

test("another cluster: refused, alarm, tasks go on", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.launch(1);
  world.run(1, RUNNING);
  const stranger = world.link();
  world.take();
  stranger.lead(99, { clusterId: "cluster-2" });
  t.deepEqual(world.take(), ["alarm cluster/cluster-2", "refused, obeys 5"]);
  link.say({ $case: "refusal", value: { kind: Kind.KIND_OTHER_CLUSTER, reason: "not mine", retryMs: 0 } });
  t.deepEqual(world.take(), [`alarm refusal/${Kind.KIND_OTHER_CLUSTER}`]);
  t.is(world.machine.state.tasks.size, 1);
  world.pass(10_000);
  t.deepEqual(world.take().slice(0, 1), ["report digest 1"], "it asks again, should that be mended");
});

test("confirmed under another id than its own: not obeyed", (t) => {
  const world = AgentWorld.started();
  const link = world.confirmed();
  link.lead(6);
  world.take();
  link.say({ $case: "confirm", value: { agentId: "agent-2" } });
  t.deepEqual(world.take(), ["alarm identity"]);
  t.is(world.machine.state.identity.agentId, AGENT);
});
