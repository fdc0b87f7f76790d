import test from "ava";
import { FrameworkInfo_Capability_Type as Capability, Value_Type } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Call_Type, Event, Event_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { task } from "./framework-double.ts";
import { Scenario } from "./scenario.ts";

const multiRole = { capabilities: [{ type: Capability.MULTI_ROLE }] };

test("Mesos 6.1: an offer says where, of what and to whom; S1, S2, S9: in the form old frameworks read", (t) => {
  const s = new Scenario();
  const attributes = [{ name: "rack", type: Value_Type.TEXT, text: { value: "r1" } }];
  const agent = s.agent({ resources: "cpus:4;mem:1024;ports:[31000-32000]", info: { attributes } });
  const offer = s.subscribe({ role: "web" }).offer();
  t.regex(offer.id!.value!, /^1-100-[0-9a-f]{8}-O0$/);
  t.is(offer.agentId?.value, agent.id);
  t.is(offer.hostname, "host1");
  t.is(offer.url?.address?.ip, "127.0.0.1");
  t.is(offer.url?.address?.hostname, "host1");
  t.is(offer.url?.address?.port, 5051);
  t.deepEqual(offer.attributes, attributes);
  t.is(offer.allocationInfo, undefined);
  for (const resource of offer.resources) {
    t.is(resource.role, "*");
    t.is(resource.allocationInfo, undefined);
  }
});

test("S1, S2 with MULTI_ROLE and RESERVATION_REFINEMENT an offer carries allocation_info and reservations", (t) => {
  const s = new Scenario();
  s.agent({ resources: "cpus:4;mem:1024;cpus(web):2" });
  const capabilities = [{ type: Capability.MULTI_ROLE }, { type: Capability.RESERVATION_REFINEMENT }];
  const offer = s.subscribe({ capabilities, roles: ["web"] }).offer();
  t.deepEqual(offer.allocationInfo, { role: "web" });
  for (const resource of offer.resources) {
    t.deepEqual(resource.allocationInfo, { role: "web" });
    t.is(resource.role, undefined);
  }
  t.is(offer.resources.filter(({ reservations }) => reservations[0]?.role === "web").length, 1);
});

test("13.4 an OFFERS event is bounded, in bytes and in number: what is more comes in another", (t) => {
  const s = new Scenario();
  const attributes = [{ name: "motd", type: Value_Type.TEXT, text: { value: "x".repeat(240_000) } }];
  for (let i = 0; i < 70; i++) s.agent({ info: { attributes } });
  const framework = s.subscribe();
  t.is(framework.offers.size, 70);
  const sizes = framework.of(Event_Type.OFFERS).map((event) => Event.encode(event).finish().length);
  t.true(sizes.length > 1 && Math.max(...sizes) < 5 * 1024 * 1024, sizes.join());

  // A long role is repeated for each resource of an agent that is small without it.
  const role = "r".repeat(255);
  const many = Array.from({ length: 200 }, (_, i) => `disk${i}:1`).join(";");
  const crowd = new Scenario();
  for (let i = 0; i < 30; i++) crowd.agent({ resources: `cpus:1;mem:100;${many}` });
  const wordy = crowd.subscribe({ capabilities: [{ type: Capability.MULTI_ROLE }], roles: [role] });
  const wide = wordy.of(Event_Type.OFFERS).map((event) => Event.encode(event).finish().length);
  t.is(wordy.offers.size, 30);
  t.true(wide.length > 1 && Math.max(...wide) < 5 * 1024 * 1024, wide.join());
});

test("one OFFERS event for all agents an allocation concerns", (t) => {
  const s = new Scenario();
  for (const n of [1, 2, 3]) s.agent({ hostname: `host${n}` });
  const framework = s.subscribe();
  t.is(framework.of(Event_Type.OFFERS).length, 1);
  t.is(framework.offers.size, 3);
});

test("11.2 a declined agent is offered again when the refusal ends, and REVIVE ends it at once", (t) => {
  const s = new Scenario();
  s.agent();
  const framework = s.subscribe();
  framework.decline(30);
  s.advance(29_000);
  t.is(framework.offers.size, 0);
  s.advance(1_000);
  t.is(framework.offers.size, 1);
  framework.decline(3600);
  t.is(framework.call({ type: Call_Type.REVIVE }).code, 202);
  t.is(framework.offers.size, 1);
});

test("declining without a filter leaves the agent to others, and is no endless quick exchange", (t) => {
  const s = new Scenario();
  s.agent();
  const framework = s.subscribe();
  framework.decline(0);
  t.is(framework.offers.size, 0);
  const other = s.subscribe();
  t.is(other.offers.size, 1);
  other.decline(3600);
  s.advance(1_000);
  t.is(framework.offers.size, 1);
});

test("S4 DECLINE of nothing, of the same offer twice, of others' and of used offers is 202", (t) => {
  const s = new Scenario();
  s.agent();
  const [framework, other] = [s.subscribe(), s.subscribe()];
  const [id] = [...framework.offers.keys(), ...other.offers.keys()];
  const stranger = framework.offers.size === 0 ? framework : other;
  t.is(stranger.decline(5, [id!]).code, 202);
  t.is(s.state.offers.size, 1);
  const owner = stranger === framework ? other : framework;
  t.is(owner.decline(5, []).code, 202);
  t.is(owner.decline(5, [id!, id!]).code, 202);
  t.is(owner.decline(5, [id!]).code, 202);
});

test("5.5 a broken agent stream withdraws its offers, and nothing else", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe();
  framework.accept([task("t1", agent.id)], undefined, 1);
  s.advance(1_000);
  const { id } = framework.offer();
  const updates = framework.updates.length;
  agent.disconnect();
  t.deepEqual(framework.of(Event_Type.RESCIND).map((event) => event.rescind?.offerId), [id]);
  t.is(framework.updates.length, updates);
  t.is(s.tables.tasks.size, 1);
  agent.connect();
  s.settle();
  t.is(framework.offer().resources[0]?.scalar?.value, 3);
});

test("an offer without answer is rescinded after the offer timeout", (t) => {
  const s = new Scenario({ settings: { offerTimeoutMs: 10_000 } });
  s.agent();
  const framework = s.subscribe();
  s.advance(9_999);
  t.is(framework.of(Event_Type.RESCIND).length, 0);
  s.advance(1);
  t.is(framework.of(Event_Type.RESCIND).length, 1);
  t.is(framework.offers.size, 1, "and made again");
});

test("SUPPRESS stops offers, REVIVE starts them; with a strange role the whole call is dropped (S11)", (t) => {
  const s = new Scenario();
  s.agent();
  const framework = s.subscribe({ ...multiRole, roles: ["a", "b"] });
  const suppress = (...roles: string[]) => framework.call({ type: Call_Type.SUPPRESS, suppress: { roles } });
  t.is(suppress("a", "x").code, 202);
  t.deepEqual(s.tables.frameworks.get(framework.id)?.suppressedRoles, []);
  t.is(suppress().code, 202);
  t.is(suppress("a").code, 202);
  t.deepEqual(s.tables.frameworks.get(framework.id)?.suppressedRoles, ["a", "b"]);
  framework.decline(1);
  s.advance(10_000);
  t.is(framework.offers.size, 0);
  framework.call({ type: Call_Type.REVIVE, revive: { roles: ["b"] } });
  t.is(framework.offer().allocationInfo?.role, "b");
  t.deepEqual(s.tables.frameworks.get(framework.id)?.suppressedRoles, ["a"]);
});

test("UPDATE_FRAMEWORK: roles that go lose their offers, roles that come get some; 200", (t) => {
  const s = new Scenario();
  s.agent();
  const framework = s.subscribe({ ...multiRole, roles: ["a"] });
  const { id } = framework.offer();
  const info = { ...framework.info, roles: ["b"], name: "renamed" };
  const update = (frameworkInfo: typeof info) =>
    framework.call({ type: Call_Type.UPDATE_FRAMEWORK, updateFramework: { frameworkInfo, suppressedRoles: [] } });
  t.deepEqual(update(info), { code: 200, message: "" });
  t.deepEqual(framework.of(Event_Type.RESCIND).map((event) => event.rescind?.offerId), [id]);
  t.is(framework.offer().allocationInfo?.role, "b");
  t.is(s.tables.frameworks.get(framework.id)?.info?.name, "renamed");
  t.is(update({ ...info, user: "other" }).code, 400);
  t.is(update({ ...info, checkpoint: true }).code, 400);
  t.is(update({ ...info, roles: ["-x"] }).code, 400);
  t.is(update({ ...info, id: { value: "other" } }).code, 400);
});

test("3.6 no offers and no heartbeats while mute; both go on afterwards", (t) => {
  const s = new Scenario();
  const framework = s.subscribe();
  s.step({ kind: "mute", on: true });
  const heartbeats = framework.of(Event_Type.HEARTBEAT).length;
  s.agent();
  s.advance(40_000);
  t.is(framework.offers.size, 0);
  t.is(framework.of(Event_Type.HEARTBEAT).length, heartbeats);
  s.step({ kind: "mute", on: false });
  s.advance(15_000);
  t.is(framework.offers.size, 1);
  t.is(framework.of(Event_Type.HEARTBEAT).length, heartbeats + 1);
});
