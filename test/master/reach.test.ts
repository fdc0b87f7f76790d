/** A leader that agents do not reach (2.16). */
import test from "ava";
import type { AgentMessage } from "../../src/wire/gen/mesarch/v1/agents.ts";
import { AgentClient, Masters, type Node } from "./masters.ts";

/** Agents that keep a stream to this master. */
function agentsOf(node: Node, count: number): AgentClient[] {
  return Array.from({ length: count }, (_, i) => {
    const agent = new AgentClient(node);
    const incarnation = { starts: 1, nonce: `${node.name}-${i}` };
    const greeting: AgentMessage = {
      session: 0,
      body: { $case: "greeting", value: { protocol: 1, agentId: "", incarnation, clusterId: "", storedEpoch: undefined, address: "a:6051" } },
    };
    agent.say(greeting);
    return agent;
  });
}

async function trio(): Promise<Masters> {
  const masters = new Masters();
  await masters.start(["m1", "m2", "m3"]);
  return masters;
}

test("2.16 a leader that reaches under half as many agents as its best peer hands over after 5 s, and not back at once", async (t) => {
  await using masters = await trio();
  agentsOf(masters.node("m1"), 1);
  agentsOf(masters.node("m2"), 3);
  await masters.run(4_000);
  t.deepEqual(masters.leaders(), ["m1"]);
  await masters.run(3_000);
  t.deepEqual(masters.leaders(), ["m2"]);
  t.true(masters.node("m1").telemetry.lines.some(({ message }) => message.startsWith("handing over: a peer reaches more")));
  agentsOf(masters.node("m1"), 9);
  await masters.run(4_000);
  t.deepEqual(masters.leaders(), ["m2"]);
});

test("2.16 half as many are enough, and a short gap is none", async (t) => {
  await using masters = await trio();
  const [, gone] = agentsOf(masters.node("m1"), 2) as [AgentClient, AgentClient];
  agentsOf(masters.node("m2"), 4);
  await masters.run(10_000);
  t.deepEqual(masters.leaders(), ["m1"]);
  gone.hangUp();
  await masters.run(4_000);
  agentsOf(masters.node("m1"), 1);
  await masters.run(10_000);
  t.deepEqual(masters.leaders(), ["m1"]);
});

test("2.16 what a peer reached before it fell silent is no reason to hand over, least of all to it", async (t) => {
  await using masters = await trio();
  agentsOf(masters.node("m1"), 1);
  agentsOf(masters.node("m2"), 3);
  await masters.run(2_000);
  for (const name of ["m1", "m3"]) masters.cut(name, "m2");
  await masters.run(20_000);
  t.deepEqual(masters.leaders(), ["m1"]);
  t.false(masters.node("m1").telemetry.lines.some(({ message }) => message.startsWith("handing over")));
});
