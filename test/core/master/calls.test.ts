import test from "ava";
import { type Call, Call_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { Scenario } from "./scenario.ts";
import { task } from "./framework-double.ts";

test("Mesos 4.5: unknown framework, wrong principal, not subscribed, another stream; in this order", (t) => {
  const s = new Scenario();
  const framework = s.subscribe({ failoverTimeout: 60 }, { principal: "p" });
  const revive = { type: Call_Type.REVIVE };
  t.deepEqual(framework.call({ ...revive, ...{ frameworkId: { value: "x" } } } as Call), {
    code: 400,
    message: "Framework cannot be found",
  });
  t.is(framework.call(revive, { principal: "q" }).code, 400);
  t.is(framework.call(revive, { principal: "p", session: 99 }).code, 400);
  t.is(framework.call(revive, { principal: "p" }).code, 202);
  framework.disconnect();
  t.deepEqual(framework.call(revive, { principal: "p" }), { code: 403, message: "Framework is not subscribed" });
});

const malformed: readonly (readonly [string, Omit<Call, "frameworkId">, RegExp])[] = [
  ["ACCEPT without its part", { type: Call_Type.ACCEPT }, /'accept'/],
  ["ACCEPT_INVERSE_OFFERS without its part", { type: Call_Type.ACCEPT_INVERSE_OFFERS }, /'accept_inverse_offers'/],
  ["KILL without task", { type: Call_Type.KILL, kill: {} }, /task_id/],
  ["SHUTDOWN without executor", { type: Call_Type.SHUTDOWN, shutdown: { agentId: { value: "a" } } }, /executor_id/],
  ["MESSAGE without agent", { type: Call_Type.MESSAGE, message: { executorId: { value: "e" }, data: new Uint8Array() } }, /agent_id/],
  [
    "ACKNOWLEDGE with a short uuid",
    { type: Call_Type.ACKNOWLEDGE, acknowledge: { agentId: { value: "a" }, taskId: { value: "t" }, uuid: new Uint8Array(15) } },
    /UUID/,
  ],
  ["UPDATE_FRAMEWORK of another id", { type: Call_Type.UPDATE_FRAMEWORK, updateFramework: { frameworkInfo: { user: "", name: "", capabilities: [], roles: [], offerFilters: {} }, suppressedRoles: [] } }, /framework_id/],
];
for (const [what, call, message] of malformed) {
  test(`Mesos 4.6: ${what} is 400`, (t) => {
    const s = new Scenario();
    const answer = s.subscribe().call(call);
    t.is(answer.code, 400);
    t.regex(answer.message, message);
  });
}

test("Mesos 4.5: a call of an unknown type is 501", (t) => {
  const framework = new Scenario().subscribe();
  t.is(framework.call({}).code, 501);
  t.is(framework.call({ type: Call_Type.UNKNOWN }).code, 501);
});

test("S11 calls without effect are accepted", (t) => {
  const framework = new Scenario().subscribe();
  t.is(framework.call({ type: Call_Type.REQUEST, request: { requests: [] } }).code, 202);
  t.is(framework.call({ type: Call_Type.DECLINE_INVERSE_OFFERS, declineInverseOffers: { inverseOfferIds: [] } }).code, 202);
  t.is(framework.call({ type: Call_Type.RECONCILE, reconcile: { tasks: [] } }).code, 202);
  t.is(framework.call({ type: Call_Type.RECONCILE_OPERATIONS, reconcileOperations: { operations: [] } }).code, 202);
});

test("3.6 while mute a call gets 503", (t) => {
  const s = new Scenario();
  const framework = s.subscribe();
  s.step({ kind: "mute", on: true });
  t.is(framework.call({ type: Call_Type.REVIVE }).code, 503);
});

test("MESSAGE reaches a confirmed agent, and an executor's reaches its framework; otherwise both are lost", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.accept([task("t1", agent.id)]);
  const data = new Uint8Array([1, 2]);
  const message = { agentId: { value: agent.id }, executorId: { value: "t1" }, data };
  t.is(framework.call({ type: Call_Type.MESSAGE, message }).code, 202);
  t.deepEqual(agent.of("executorMessage"), [{ frameworkId: framework.id, executorId: "t1", data }]);
  t.is(framework.call({ type: Call_Type.MESSAGE, message: { ...message, agentId: { value: "x" } } }).code, 202);
  s.step({ kind: "agentMessage", session: agent.session, frameworkId: framework.id, executorId: "t1", data });
  t.deepEqual(framework.events.at(-1)?.message, message);
  s.step({ kind: "agentMessage", session: agent.session, frameworkId: "x", executorId: "t1", data });
});

test("13.3 a store that is nearly full takes no launches, but everything else", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  t.is(framework.accept([task("before", agent.id)]).code, 202);
  s.step({ kind: "nearlyFull", reason: "81 of 100 bytes" });
  const offers = [...framework.offers.keys()];
  t.deepEqual(framework.call({ type: Call_Type.ACCEPT, accept: { offerIds: offers.map((value) => ({ value })), operations: [{ type: 1, launch: { taskInfos: [] } }] } }).code, 202, "launching nothing is declining");
  t.is(framework.kill("before").code, 202);
  agent.update("before", 4);
  t.is(framework.updates.at(-1)?.state, 4);
  s.step({ kind: "nearlyFull", reason: "" });
  framework.call({ type: Call_Type.REVIVE });
  s.step({ kind: "nearlyFull", reason: "81 of 100 bytes" });
  t.deepEqual(framework.accept([task("after", agent.id)]), { code: 503, message: "81 of 100 bytes" });
});
