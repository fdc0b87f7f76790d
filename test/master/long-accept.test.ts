/** An ACCEPT of many tasks on its way through the leader's loop. */
import { setImmediate as turn } from "node:timers/promises";
import test from "ava";
import { defaultMasterSettings } from "../../src/core/master/settings.ts";
import { Resources } from "../../src/model/resources.ts";
import { Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { AgentClient, Masters, SchedulerClient } from "./masters.ts";

const TASKS = 1_000;

test("2.9, 10.8 an ACCEPT of many tasks leaves heartbeats their turns, and the call behind it its place", async (t) => {
  await using masters = new Masters();
  // Handling a launch takes a millisecond.
  let spent = 0;
  const now = masters.clock.now.bind(masters.clock);
  masters.clock.now = () => now() + spent;
  const machine = Object.defineProperty({ ...defaultMasterSettings }, "launchResendMs", { get: () => ((spent += 1), 30_000) });
  await masters.start(["m1"], { machine });
  const framework = new SchedulerClient(masters.node("m1"), "f1");
  const agent = await confirmedAgent(masters);
  await masters.run(1_500);
  const offer = framework.items.flatMap(({ item }) => (item?.$case === "event" ? (item.value.offers?.offers ?? []) : []))[0]!;
  spent = 0;
  const turns: number[] = [];
  const accepted = framework.call(acceptOf(offer.id!.value!, offer.agentId!.value!) as never);
  const killed = framework.call({ type: Call_Type.KILL, kill: { taskId: { value: `t${TASKS - 1}` } } } as never);
  for (let rounds = 0; rounds < 1_000 && framework.reply(killed) === undefined; rounds += 1) {
    turns.push(spent);
    masters.clock.advance(0);
    await turn();
  }

  t.is(spent, TASKS + 1, "and the kill once");
  const stretches = turns.slice(1).map((at, i) => at - turns[i]!);
  t.true(Math.max(...stretches) <= 120, `${Math.max(...stretches)} launches without a turn of others`);
  const replies = framework.items.flatMap(({ item }) => (item?.$case === "reply" ? [[item.value.number, item.value.code]] : []));
  t.deepEqual(replies, [[accepted, 202], [killed, 202]]);
  t.is(agent.messages.filter(({ body }) => body?.$case === "launch").length, TASKS);
  t.is(agent.messages.filter(({ body }) => body?.$case === "kill").length, 1, "a KILL behind it finds its task");
});

test("3.9 when the handling of its rest throws, its sender is answered 500, and told that a part may have been done", async (t) => {
  await using masters = new Masters();
  let launches = 0;
  const machine = Object.defineProperty({ ...defaultMasterSettings }, "launchResendMs", {
    get: () => {
      launches += 1;
      if (launches === 250) throw new Error("a bug");
      return 30_000;
    },
  });
  await masters.start(["m1"], { machine });
  const framework = new SchedulerClient(masters.node("m1"), "f1");
  await confirmedAgent(masters);
  await masters.run(1_500);
  const offer = framework.items.flatMap(({ item }) => (item?.$case === "event" ? (item.value.offers?.offers ?? []) : []))[0]!;
  const accepted = framework.call(acceptOf(offer.id!.value!, offer.agentId!.value!) as never);
  await masters.run(100);
  const reply = framework.items.flatMap(({ item }) => (item?.$case === "reply" && item.value.number === accepted ? [item.value] : []));
  t.deepEqual(reply.map(({ code }) => code), [500]);
  t.regex(reply[0]!.message, /a part of it may have been done/);
});

async function confirmedAgent(masters: Masters): Promise<AgentClient> {
  const agent = new AgentClient(masters.node("m1"));
  const incarnation = { starts: 1, nonce: "n" };
  const greeting = { protocol: 1, agentId: "", incarnation, clusterId: "", storedEpoch: undefined, address: "a:1" };
  agent.say({ session: 0, body: { $case: "greeting", value: greeting } });
  await masters.run(50);
  const resources = Resources.parse("cpus:2000;mem:100000");
  const info = { hostname: "a", resources: resources.ok ? resources.value.toMesos() : [], attributes: [] };
  const report = {
    agentId: "", clusterId: "", incarnation, info, address: "a:1", registrationNonce: "n1", storedEpoch: undefined,
    tasks: undefined, listed: true, held: [],
  };
  agent.say({ session: agent.session, body: { $case: "report", value: report } });
  await masters.run(200);
  return agent;
}

function acceptOf(offerId: string, agentId: string) {
  const resources = Resources.parse("cpus:1;mem:32");
  const taskInfos = Array.from({ length: TASKS }, (_, n) => ({
    name: `t${n}`,
    taskId: { value: `t${n}` },
    agentId: { value: agentId },
    resources: resources.ok ? resources.value.toMesos() : [],
    command: { value: "true", uris: [], arguments: [] },
    limits: {},
  }));
  return { type: Call_Type.ACCEPT, accept: { offerIds: [{ value: offerId }], operations: [{ type: 1, launch: { taskInfos } }] } };
}
