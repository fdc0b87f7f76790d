/** Whose word frees what a task uses. */
import test from "ava";
import { TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { type Agent, Cluster, type Framework } from "./cluster.ts";

interface Scene {
  readonly cluster: Cluster;
  readonly agent: Agent;
  readonly framework: Framework;
}

/** What only a master or a framework says, or does not hear. */
const opinions: readonly (readonly [string, (scene: Scene) => void])[] = [
  ["a kill is ordered", ({ framework }) => framework.kill("t1")],
  ["its framework is torn down", ({ framework }) => framework.teardown()],
  [
    "its agent's stream breaks",
    ({ agent }) => {
      agent.disconnect();
      agent.reconnect();
    },
  ],
  [
    "its agent is given up as unreachable, and returns",
    ({ cluster, agent }) => {
      agent.disconnect();
      cluster.advance(80_000);
      agent.reconnect();
    },
  ],
  [
    "the leader is lost",
    ({ cluster, agent }) => {
      cluster.failover();
      agent.reconnect();
    },
  ],
  [
    "the agent goes on to speak of it",
    ({ agent }) => void agent.update("t1", TaskState.TASK_KILLING),
  ],
];
for (const [what, happen] of opinions) {
  test(`4.3 nothing is freed when ${what}`, (t) => {
    const scene = running();
    happen(scene);
    scene.cluster.drain();
    t.is(used(scene), 1_000);
    t.is(free(scene), 7_000);
  });
}

/** What shows that an agent does not run it, and never will. */
const words: readonly (readonly [string, (scene: Scene) => void])[] = [
  ["its end as the newest state", ({ agent }) => void agent.update("t1", TaskState.TASK_FINISHED)],
  ["its end behind an older state", ({ agent }) => void agent.update("t1", TaskState.TASK_RUNNING, { seq: 1, latest: TaskState.TASK_FAILED })],
  ["a refusal", ({ agent }) => void agent.update("t1", TaskState.TASK_DROPPED)],
  ["that it forgot it", ({ agent }) => agent.forget("t1")],
  [
    "a list without it",
    ({ agent }) => {
      agent.held.clear();
      agent.restart();
    },
  ],
];
for (const [what, say] of words) {
  test(`4.3 its agent's word frees what a task used, once: ${what}`, (t) => {
    const scene = running();
    say(scene);
    t.is(used(scene), 0);
    t.is(free(scene), 8_000);
    scene.cluster.failover();
    scene.agent.restart();
    t.is(free(scene), 8_000);
  });
}

/** Thousandths of cpus that the registry says are used on the agent. */
function used({ cluster, agent }: Scene): number {
  return cluster.tables.agentBooks(agent.id).used.scalar("cpus");
}

/** Thousandths of cpus that are offered, or could be. */
function free({ cluster, agent }: Scene): number {
  const { allocator, offersByAgent, offers } = cluster.machine.state;
  const offered = [...(offersByAgent.get(agent.id) ?? [])].map((id) => offers.get(id)!.resources.scalar("cpus"));
  return allocator.available(agent.id).scalar("cpus") + offered.reduce((sum, cpus) => sum + cpus, 0);
}

function running(): Scene {
  const cluster = new Cluster();
  const agent = cluster.agent();
  const framework = cluster.framework();
  framework.launch(agent, "t1");
  agent.run("t1");
  return { cluster, agent, framework };
}
