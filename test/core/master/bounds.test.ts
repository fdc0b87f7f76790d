/** Bounds of a leader's books, at their full size. */
import test from "ava";
import { violations } from "../../../src/core/master/invariants.ts";
import { limits } from "../../../src/model/limits.ts";
import { AgentRecord, FrameworkRecord } from "../../../src/wire/gen/mesarch/v1/registry.ts";
import { Call_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { Cluster } from "./cluster.ts";

const MINUTE_MS = 60_000;

/** Recounted at the end: after each step of so many it would take too long. */
function crowd(): Cluster {
  const cluster = new Cluster();
  cluster.checking = false;
  return cluster;
}

test("4.2, 13.4 of removed frameworks with foreign ids the newest 100,000 stay refused; older rows go", (t) => {
  const cluster = crowd();
  const beyond = 10;
  for (let i = 0; i < limits.tombstones + beyond; i++) {
    cluster.tables.apply({ kind: "f", id: `foreign-${i}`, record: FrameworkRecord.fromPartial({ standing: { $case: "removedAt", value: i } }) });
  }
  cluster.advance(2 * MINUTE_MS);
  t.is(cluster.tables.frameworks.size, limits.tombstones);
  t.false(cluster.tables.frameworks.has(`foreign-${beyond - 1}`));
  t.true(cluster.tables.frameworks.has(`foreign-${beyond}`));
});

test("4.2, 13.4 of gone agents the newest 100,000 stay refused; older rows go", (t) => {
  const cluster = crowd();
  const beyond = 10;
  for (let i = 0; i < limits.tombstones + beyond; i++) {
    cluster.tables.apply({ kind: "a", id: `agent-${i}`, record: AgentRecord.fromPartial({ info: {}, standing: { $case: "goneAt", value: i } }) });
  }
  cluster.advance(2 * MINUTE_MS);
  t.is(cluster.tables.agents.size, limits.tombstones);
  t.false(cluster.tables.agents.has(`agent-${beyond - 1}`));
  t.true(cluster.tables.agents.has(`agent-${beyond}`));
});

test("13.4 a framework has 10,000 outstanding offers at most; what it is not offered is not lost to it", (t) => {
  const cluster = crowd();
  for (let i = 0; i < limits.offersPerFramework + 5; i++) {
    cluster.agent(`a${i}`);
    cluster.words = [];
  }
  const framework = cluster.framework();
  const outstanding = (): number => cluster.machine.state.frameworks.get(framework.id)!.offers.size;
  t.is(outstanding(), limits.offersPerFramework);
  const declined = framework.offers.slice(0, 3).map(({ id }) => id!);
  framework.call({ type: Call_Type.DECLINE, decline: { offerIds: declined, filters: { refuseSeconds: 3_600 } } });
  t.is(outstanding(), limits.offersPerFramework - declined.length);
  cluster.advance(5_000);
  t.is(outstanding(), limits.offersPerFramework, "others took their place");
  const second = cluster.framework("second");
  t.is(cluster.machine.state.frameworks.get(second.id)!.offers.size, 5);
  t.deepEqual(violations(cluster.machine.state as never), []);
});
