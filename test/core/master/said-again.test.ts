/** A leader dies with everything it had just said on its way: what the next one says again, and what is lost by design. */
import test from "ava";
import { Call_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { Refusal_Kind } from "../../../src/wire/gen/mesarch/v1/agents.ts";
import { TaskState, type TaskStatus } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Agent, Cluster, type Framework } from "./cluster.ts";

interface Scene {
  readonly cluster: Cluster;
  readonly agent: Agent;
  readonly framework: Framework;
}

/** A task that was launched, and runs as far as its agent was let go on. */
function launched(): Scene {
  const cluster = new Cluster();
  const agent = cluster.agent();
  const framework = cluster.framework();
  framework.launch(agent, "t1");
  return { cluster, agent, framework };
}

function running(): Scene {
  const scene = launched();
  scene.agent.run("t1");
  return scene;
}

/** The next leader leads; whoever it had told something comes back to it. */
function lose({ cluster, agent, framework }: Scene): void {
  cluster.failover();
  framework.subscribe();
  agent.connect();
  if (agent.told("lead").length === 0) return;
  agent.report();
  if (agent.told("listWanted").length > 0) agent.report(true);
}

function markGone({ cluster, agent }: Scene): void {
  const request = { allowStale: false, call: { $case: "markAgentGone", value: { agentId: agent.id } } } as const;
  cluster.step({ kind: "operator", token: 1, principal: "op", request });
}

const again: readonly (readonly [string, () => { readonly lost: unknown; readonly heard: unknown }])[] = [
  [
    "the order to launch",
    () => {
      const scene = launched();
      const [order] = scene.agent.told("launch");
      lose(scene);
      return { lost: order!.launchId, heard: scene.agent.told("launch").map(({ launchId }) => launchId).join() };
    },
  ],
  [
    "the order to kill",
    () => {
      const scene = running();
      scene.framework.kill("t1");
      const lost = scene.agent.told("kill");
      lose(scene);
      return { lost, heard: scene.agent.told("kill") };
    },
  ],
  [
    "the order to kill what a framework left that was torn down",
    () => {
      const scene = running();
      scene.framework.teardown();
      const lost = scene.agent.told("kill");
      lose(scene);
      return { lost, heard: scene.agent.told("kill") };
    },
  ],
  [
    "UNREACHABLE",
    () => {
      const scene = running();
      scene.agent.disconnect();
      scene.cluster.advance(76_000);
      const lost = scene.framework.heard("t1").slice(1);
      scene.cluster.failover();
      scene.framework.subscribe();
      return { lost, heard: scene.framework.heard("t1") };
    },
  ],
  [
    "GONE_BY_OPERATOR",
    () => {
      const scene = running();
      markGone(scene);
      const lost = scene.framework.heard("t1").slice(1);
      lose(scene);
      return { lost, heard: scene.framework.heard("t1") };
    },
  ],
  [
    "to the agent, that it is gone",
    () => {
      const scene = running();
      markGone(scene);
      const kinds = (): Refusal_Kind[] => scene.agent.told("refusal").map(({ kind }) => kind);
      const lost = kinds();
      lose(scene);
      return { lost, heard: kinds() };
    },
  ],
  [
    "the end of what an agent lacks",
    () => {
      const scene = running();
      scene.agent.held.clear();
      scene.agent.restart();
      const lost = scene.framework.heard("t1").slice(1);
      lose(scene);
      return { lost, heard: scene.framework.heard("t1") };
    },
  ],
];

for (const [what, play] of again) {
  test(`4.4 the next leader says again from the registry: ${what}`, (t) => {
    const { lost, heard } = play();
    t.true(lost !== "" && (!Array.isArray(lost) || lost.length === 1), "it was said before");
    t.deepEqual(heard, lost);
  });
}

test("4.4 an update that was not passed on is asked for again: its agent repeats it, and the next leader passes it on", (t) => {
  const scene = launched();
  scene.agent.hold("t1");
  const update = scene.agent.update("t1", TaskState.TASK_RUNNING);
  lose(scene);
  t.deepEqual(scene.framework.heard("t1"), []);
  scene.agent.say(update);
  t.deepEqual(scene.framework.heard("t1"), ["RUNNING"]);
});

test("4.4 an acknowledgement that was not passed on is asked for again, in the same way", (t) => {
  const scene = launched();
  scene.agent.hold("t1");
  const update = scene.agent.update("t1", TaskState.TASK_RUNNING);
  const acknowledge = (status: TaskStatus | undefined): string[] => {
    scene.framework.acknowledge(scene.agent, "t1", status!.uuid!);
    return scene.agent.told("acknowledge").map((order) => Buffer.from(order.uuid).toString("hex"));
  };
  const lost = acknowledge(update.status);
  t.is(lost.length, 1);
  lose(scene);
  scene.agent.say(update);
  t.deepEqual(acknowledge(scene.framework.statuses("t1")[0]), lost);
});

test("4.4 the answer to a call is asked for again: the same launch is answered with what became of it", (t) => {
  const scene = running();
  lose(scene);
  scene.framework.launch(scene.agent, "t1");
  t.deepEqual(scene.framework.heard("t1"), ["RUNNING"]);
  t.is(scene.cluster.tables.tasks.size, 1);
  t.deepEqual(scene.agent.told("launch"), []);
});

test("4.4 lost by design: offers, filters and messages of frameworks", (t) => {
  const scene = running();
  const { cluster, agent, framework } = scene;
  const spent = framework.offers.length;
  cluster.advance(10_000);
  const [offer] = framework.offers.slice(spent);
  t.not(offer, undefined, "what the task left is offered");
  framework.call({ type: Call_Type.DECLINE, decline: { offerIds: [offer!.id!], inverseOfferIds: [], filters: { refuseSeconds: 3_600 } } } as never);
  framework.call({
    type: Call_Type.MESSAGE,
    message: { agentId: { value: agent.id }, executorId: { value: "t1" }, data: new Uint8Array([1]) },
  });
  t.is(agent.told("executorMessage").length, 1);
  const before = framework.offers.length;
  cluster.advance(60_000);
  t.is(framework.offers.length, before, "declined for an hour");
  lose(scene);
  cluster.advance(1_000);
  t.deepEqual(agent.told("executorMessage"), []);
  const offered = framework.offers;
  t.true(offered.length > 0, "the filter went with its leader");
  t.false(offered.some(({ id }) => id!.value === offer!.id!.value));
});
