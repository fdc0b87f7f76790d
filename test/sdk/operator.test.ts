import { status } from "@grpc/grpc-js";
import test from "ava";
import { getEventListeners } from "node:events";
import { OperatorClient, type OperatorNews } from "../../src/sdk/index.ts";
import { Agents, OperatorEvents, Status } from "../../src/wire/gen/mesarch/v1/operator.ts";
import { Arrivals } from "../support/arrivals.ts";
import { FakeMaster } from "../support/fake-master.ts";

const statusAnswer = (leader: string) => ({ $case: "status", value: Status.fromPartial({ leader }) }) as const;
const notHere = { refuse: status.UNAVAILABLE, details: "no leader here" };

test("asks the leader, and again when it does not lead any more", async (t) => {
  await using old = await FakeMaster.start("m1");
  await using next = await FakeMaster.start("m2");
  old.lead(5);
  old.onOperator = () => notHere;
  next.onOperator = () => statusAnswer("m2");
  using operator = new OperatorClient({ masters: [old.address, next.address] });
  const asked = operator.status();
  next.lead(9);
  t.is((await asked).leader, "m2");
});

test("gives up with what is known when there is no leader in time", async (t) => {
  await using master = await FakeMaster.start("m1");
  using operator = new OperatorClient({ masters: master.address, timeoutMs: 100 });
  await t.throwsAsync(operator.status(), { code: "no_leader", message: /no leader answered within 100 ms/ });
  master.onOperator = () => statusAnswer("");
  t.is((await operator.status({ allowStale: true, timeoutMs: 10_000 })).leader, "");
  t.true(master.operatorRequests.at(-1)?.allowStale);
});

test("a refusal is an error with a code, not repeated", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  master.onOperator = () => ({ refuse: status.NOT_FOUND, details: "no task x" });
  using operator = new OperatorClient({ masters: master.address });
  await t.throwsAsync(operator.killTask("x"), { code: "not_found", message: /no task x/ });
  t.is(master.operatorRequests.length, 1);
});

test("a step-down is asked once, and done when the next leader speaks", async (t) => {
  await using old = await FakeMaster.start("m1");
  await using next = await FakeMaster.start("m2");
  old.lead(5);
  next.follow(old);
  old.onOperator = () => {
    old.stepDown();
    next.lead(9);
    return notHere;
  };
  using operator = new OperatorClient({ masters: [old.address, next.address] });
  const { from, to } = await operator.stepDown();
  t.deepEqual([from.name, to.name], ["m1", "m2"]);
  t.is(old.operatorRequests.length, 1);
});

test("a page after the other is read from the registry", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  master.onOperator = ({ call }) => {
    const after = call?.$case === "dumpRegistry" ? call.value.after : "?";
    const rows = [{ key: after === "" ? "f/1" : "t/1", json: "{}" }];
    return { $case: "registry", value: { rows, next: after === "" ? "f/1" : "" } };
  };
  using operator = new OperatorClient({ masters: master.address });
  const keys: string[] = [];
  for await (const { key } of operator.registry()) keys.push(key);
  t.deepEqual(keys, ["f/1", "t/1"]);
});

test("events go on with the next leader, after a snapshot", async (t) => {
  await using old = await FakeMaster.start("m1");
  await using next = await FakeMaster.start("m2");
  old.lead(5);
  using operator = new OperatorClient({ masters: [old.address, next.address] });
  const news: OperatorNews[] = [];
  const seen = new Arrivals<OperatorNews>();
  const controller = new AbortController();
  const reading = (async () => {
    for await (const one of operator.events({ signal: controller.signal })) {
      news.push(one);
      seen.push(one);
    }
  })();
  const event = (id: string) =>
    OperatorEvents.fromPartial({ events: [{ revision: 7, event: { $case: "agent", value: { id } } }] });
  const first = await old.eventStreams.next();
  t.false(first.request.snapshot);
  first.stream.write(event("a1"));
  await seen.next(({ type }) => type === "agent");
  next.lead(9);
  const second = await next.eventStreams.next();
  t.true(second.request.snapshot);
  second.stream.write(event("a2"));
  await seen.next(({ type }) => type === "agent");
  controller.abort(new Error("enough"));
  await t.throwsAsync(reading, { message: "enough" });
  t.deepEqual(news.map(({ type }) => type), ["connected", "agent", "disconnected", "connected", "agent"]);
});

test("13.4 agents are asked for page by page", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  master.onOperator = ({ call }) => {
    const after = call?.$case === "listAgents" ? call.value.after : "?";
    return { $case: "agents", value: Agents.fromPartial(after === undefined ? { agents: [{ id: "S1" }], next: "S1" } : { agents: [{ id: `after ${after}` }] }) };
  };
  using operator = new OperatorClient({ masters: master.address });
  t.deepEqual((await operator.agents()).map(({ id }) => id), ["S1", "after S1"]);
});

test("a signal gives a question up", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  const controller = new AbortController();
  using operator = new OperatorClient({ masters: master.address });
  master.onOperator = () => {
    controller.abort(new Error("enough"));
    return notHere;
  };
  await t.throwsAsync(operator.status({ signal: controller.signal }), { message: "enough" });
  const gone = AbortSignal.abort(new Error("too late"));
  await t.throwsAsync(operator.stepDown({ signal: gone }), { message: "too late" });
});

test("a successor is waited for as long as said", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  master.onOperator = () => statusAnswer("m1");
  const { signal } = new AbortController();
  using operator = new OperatorClient({ masters: master.address });
  await t.throwsAsync(operator.stepDown({ timeoutMs: 500, signal }), { code: "no_leader" });
  t.is(getEventListeners(signal, "abort").length, 0);
});
