/** Rows written by a newer version, and written again by this one (13.1). */
import test from "ava";
import { AgentRecord, FrameworkRecord, HistoryRecord, TaskRecord } from "../../../src/wire/gen/mesarch/v1/registry.ts";
import { TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { type Agent, Cluster, type Framework } from "./cluster.ts";

/** Field 100, two bytes long. */
const NEWER = Uint8Array.of(0xa2, 0x06, 2, 7, 9);

interface Codec<T> {
  encode(record: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

interface Scene {
  readonly cluster: Cluster;
  readonly agent: Agent;
  readonly framework: Framework;
}

/** The row as this version reads it after a newer one wrote it. */
function fromNewer<T>(codec: Codec<T>, record: T): T {
  return codec.decode(Buffer.concat([codec.encode(record).finish(), NEWER]));
}

function keeps<T>(codec: Codec<T>, record: T | undefined): boolean {
  return record !== undefined && Buffer.from(codec.encode(record).finish()).includes(Buffer.from(NEWER));
}

/** A task that runs; its row, its agent's and its framework's were written by a newer version. */
function running(): Scene {
  const cluster = new Cluster();
  const agent = cluster.agent();
  const framework = cluster.framework();
  framework.launch(agent, "t1");
  agent.run("t1");
  const { tables } = cluster;
  for (const [id, record] of [...tables.agents]) tables.apply({ kind: "a", id, record: fromNewer(AgentRecord, record) });
  for (const [id, record] of [...tables.frameworks]) tables.apply({ kind: "f", id, record: fromNewer(FrameworkRecord, record) });
  for (const [id, record] of [...tables.tasks]) tables.apply({ kind: "t", id, record: fromNewer(TaskRecord, record) });
  return { cluster, agent, framework };
}

const deeds: readonly (readonly [string, (scene: Scene) => void])[] = [
  ["a failover, after which all come back", backAfterFailover],
  ["a framework that is lost, and comes back", ({ cluster, framework }) => (framework.disconnect(), cluster.advance(60_000), framework.subscribe())],
  ["a framework that is torn down", ({ framework }) => framework.teardown()],
  ["an agent's new process", ({ agent }) => agent.restart()],
  ["an agent that is given up", ({ cluster, agent }) => (agent.disconnect(), cluster.advance(80_000))],
  ["an agent that is given up, and returns", ({ cluster, agent }) => (agent.disconnect(), cluster.advance(80_000), agent.reconnect())],
  ["a kill", ({ framework }) => framework.kill("t1")],
  ["an end", ({ agent }) => void agent.update("t1", TaskState.TASK_FINISHED)],
  ["a task that its agent lacks", ({ agent }) => (agent.held.clear(), agent.restart())],
];

for (const [what, happen] of deeds) {
  test(`13.1 what a newer version wrote into rows stays in them: ${what}`, (t) => {
    const scene = running();
    const { tables } = scene.cluster;
    const before = [...tables.agents.values(), ...tables.frameworks.values(), ...tables.tasks.values()];
    happen(scene);
    scene.cluster.drain();
    const after = [...tables.agents.values(), ...tables.frameworks.values(), ...tables.tasks.values()];
    t.true(after.some((row) => !before.includes(row)), "something was written again");
    for (const row of tables.agents.values()) t.true(keeps(AgentRecord, row), "agent");
    for (const row of tables.frameworks.values()) t.true(keeps(FrameworkRecord, row), "framework");
    for (const row of tables.tasks.values()) t.true(keeps(TaskRecord, row), "task");
  });
}

test("13.1 nor is it lost on the way to history", (t) => {
  const { cluster, agent, framework } = running();
  const { status } = agent.update("t1", TaskState.TASK_FINISHED);
  framework.acknowledge(agent, "t1", status!.uuid!);
  agent.forget("t1");
  const [entry] = [...cluster.tables.history.values()];
  t.true(keeps(TaskRecord, HistoryRecord.decode(HistoryRecord.encode(entry!).finish()).task));
});

function backAfterFailover({ cluster, agent, framework }: Scene): void {
  cluster.failover();
  agent.reconnect();
  framework.subscribe();
}
