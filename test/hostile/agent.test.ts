/** What an agent must bear from frameworks and masters. */
import test from "ava";
import { limits } from "../../src/model/limits.ts";
import { AgentMessage, Refusal_Kind as Kind } from "../../src/wire/gen/mesarch/v1/agents.ts";
import { AgentWorld, RUNNING } from "../core/agent/agent-world.ts";

test("8.3 a kill policy of a fraction of a millisecond does not stall the journal of an agent that is told to go", (t) => {
  const world = AgentWorld.started();
  const master = world.confirmed();
  master.launch(1, { task: { killPolicy: { gracePeriod: { nanoseconds: 1_500_000n } } } });
  world.run(1, RUNNING);
  t.notThrows(() => master.say({ $case: "refusal", value: { kind: Kind.KIND_GONE, reason: "gone", retryMs: 0 } }));
});

test("8.3 nor does a grace of ages, or one that is negative", (t) => {
  const world = AgentWorld.started();
  const master = world.confirmed();
  for (const [index, nanoseconds] of [2n ** 63n - 1n, -5n].entries()) {
    master.launch(index + 1, { task: { killPolicy: { gracePeriod: { nanoseconds } } } });
    world.run(index + 1, RUNNING);
  }
  t.notThrows(() => master.say({ $case: "refusal", value: { kind: Kind.KIND_GONE, reason: "gone", retryMs: 0 } }));
});

test("13.2 a list with all that is needed to adopt large tasks fits what may wait for a stream", (t) => {
  const world = AgentWorld.started();
  const master = world.confirmed();
  for (let n = 1; n <= 10; n += 1) master.launch(n, { resources: "cpus:0.1", task: { data: Buffer.alloc(900 * 1024) } });
  world.outputs = [];
  master.say({ $case: "listWanted", value: { withInfos: true } });
  const sizes = world.outputs.flatMap((output) => (output.kind === "say" ? [AgentMessage.encode(output.message).finish().length] : []));
  t.true(sizes.length > 0);
  t.true(sizes.every((size) => size < limits.streamQueueBytes), `${sizes.join(", ")} bytes`);
});
