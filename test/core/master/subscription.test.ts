import test from "ava";
import { type FrameworkInfo, FrameworkInfo_Capability_Type as Capability } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Call_Type, Event_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { FrameworkDouble } from "./framework-double.ts";
import { task } from "./framework-double.ts";
import { Scenario } from "./scenario.ts";

/** The message of the ERROR event that was the only answer; the stream must be closed after it. */
function errorOf(framework: FrameworkDouble): string | undefined {
  if (framework.open || framework.events.length !== 1) return undefined;
  return framework.events[0]!.error?.message;
}

test("1.4 an id names generation, epoch and a nonce of this leadership, and counts up", (t) => {
  const s = new Scenario();
  t.regex(s.subscribe().id, /^1-100-[0-9a-f]{8}-0000$/);
  t.regex(s.subscribe().id, /^1-100-[0-9a-f]{8}-0001$/);
});

test("10.1 an id never seen is accepted, the framework may bring its own", (t) => {
  const s = new Scenario();
  const framework = s.subscribe({ id: { value: "mine" } });
  t.is(framework.id, "mine");
  t.is(s.tables.frameworks.get("mine")?.standing?.$case, "subscribed");
});

test("10.1 a removed id gets ERROR and the stream is closed, before and after a failover", (t) => {
  const s = new Scenario();
  const framework = s.subscribe({ id: { value: "mine" } });
  t.is(framework.call({ type: Call_Type.TEARDOWN }).code, 202);
  t.false(framework.open);
  t.is(errorOf(s.subscribe({ id: { value: "mine" } })), "Framework has been removed");
  s.failover();
  t.is(errorOf(s.subscribe({ id: { value: "mine" } })), "Framework has been removed");
});

test("1.4 an id of our own form without a row was removed, for ever; one of a later epoch was not", (t) => {
  const s = new Scenario();
  t.is(errorOf(s.subscribe({ id: { value: "1-100-abcd0123-0007" } })), "Framework has been removed");
  t.is(errorOf(s.subscribe({ id: { value: "1-7-abcd0123-0007" } })), "Framework has been removed");
  t.is(s.subscribe({ id: { value: "1-999-abcd0123-0007" } }).id, "1-999-abcd0123-0007");
});

test("1.4 what was issued between a backup and its restore is not taken for removed", (t) => {
  const s = new Scenario();
  s.failover({ generation: 9 });
  t.is(errorOf(s.subscribe({ id: { value: "1-99-abcd0123-0007" } })), "Framework has been removed");
  t.is(s.subscribe({ id: { value: "1-150-abcd0123-0007" } }).id, "1-150-abcd0123-0007");
  // The backup ends in this epoch, which may have issued more after it.
  t.is(s.subscribe({ id: { value: "1-100-abcd0123-0007" } }).id, "1-100-abcd0123-0007");
});

test("10.1 the newer subscription wins: the old stream gets ERROR and its offers end without RESCIND", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const old = s.subscribe({ failoverTimeout: 10 });
  t.is(old.offers.size, 1);
  const before = s.steps.length;
  const now = s.subscribe({ failoverTimeout: 10, id: { value: old.id } });
  t.is(s.steps[before]!.atoms.length, 0, "subscribed in this epoch already: nothing to write");
  t.is(old.events.at(-1)?.error?.message, "Framework failed over");
  t.is(old.of(Event_Type.RESCIND).length, 0);
  t.false(old.open);
  t.is(now.offer().agentId?.value, agent.id);
  // The end of the old stream is no loss.
  old.disconnect();
  t.is(s.tables.frameworks.get(now.id)?.standing?.$case, "subscribed");
});

test("Mesos 4.3: user and checkpoint keep their old values, suppressed roles are replaced", (t) => {
  const s = new Scenario();
  const roles = { capabilities: [{ type: Capability.MULTI_ROLE }], roles: ["a", "b"] };
  const first = s.subscribe({ ...roles, checkpoint: true, user: "alice" }, { suppressedRoles: ["a"] });
  s.subscribe({ ...roles, id: { value: first.id }, checkpoint: false, user: "bob", name: "new" }, { suppressedRoles: ["b"] });
  const record = s.tables.frameworks.get(first.id)!;
  t.is(record.info?.user, "alice");
  t.is(record.info?.checkpoint, true);
  t.is(record.info?.name, "new");
  t.deepEqual(record.suppressedRoles, ["b"]);
});

test("Mesos 4.2: the principal is filled in, must agree, and cannot change", (t) => {
  const s = new Scenario();
  const framework = s.subscribe({}, { principal: "p" });
  t.is(s.tables.frameworks.get(framework.id)?.info?.principal, "p");
  t.regex(errorOf(s.subscribe({ principal: "q" }, { principal: "p" })) ?? "", /does not match principal/);
  t.regex(errorOf(s.subscribe({ id: { value: framework.id } }, { principal: "q" })) ?? "", /principal/);
  t.true(framework.open);
});

const refused: readonly (readonly [string, Partial<FrameworkInfo>, RegExp])[] = [
  ["an id with a slash", { id: { value: "a/b" } }, /contains '\/'/],
  ["a role with white space", { role: "a b" }, /white space/],
  ["a role of 8,000 parts", { role: Array.from({ length: 8_000 }, () => "a").join("/") }, /longer than 255 bytes/],
  ["a role of 100 parts", { role: Array.from({ length: 100 }, () => "a").join("/") }, /more than 32 parts/],
  ["roles without MULTI_ROLE", { roles: ["a"] }, /needs the capability MULTI_ROLE/],
  ["role with MULTI_ROLE", { role: "a", capabilities: [{ type: Capability.MULTI_ROLE }] }, /must not be set with MULTI_ROLE/],
  ["a role twice", { roles: ["a", "a"], capabilities: [{ type: Capability.MULTI_ROLE }] }, /twice/],
  ["a negative failover_timeout", { failoverTimeout: -1 }, /failover_timeout/],
  ["an endless failover_timeout", { failoverTimeout: Infinity }, /failover_timeout/],
  ["no number as failover_timeout", { failoverTimeout: Number.NaN }, /failover_timeout/],
  ["300 years of failover_timeout", { failoverTimeout: 300 * 366 * 86_400 }, /failover_timeout/],
  ["3.9 more info than fits", { name: "n".repeat(300_000) }, /larger than/],
];
for (const [what, info, message] of refused) {
  test(`Mesos 4.2: ${what} is refused by an ERROR event`, (t) => {
    const s = new Scenario();
    t.regex(errorOf(s.subscribe(info)) ?? "", message);
    t.is(s.tables.frameworks.size, 0);
  });
}

test("Mesos 4.2: suppressed roles must be roles of the framework", (t) => {
  const s = new Scenario();
  t.regex(errorOf(s.subscribe({ role: "a" }, { suppressedRoles: ["b"] })) ?? "", /Suppressed role 'b'/);
});

test("5.2 after a failover a framework is written as subscribed in the new epoch, once", (t) => {
  const s = new Scenario();
  const framework = s.subscribe();
  s.failover();
  const before = s.steps.length;
  framework.subscribe();
  t.is(s.steps[before]!.atoms.length, 1);
  t.deepEqual(s.tables.frameworks.get(framework.id)?.standing, { $case: "subscribed", value: { generation: 1, revision: 200 } });
});

test("3.5 while read-only a known framework comes back without a write, a new one is asked to wait", (t) => {
  const s = new Scenario();
  const agent = s.agent();
  const framework = s.subscribe({ failoverTimeout: 100 });
  framework.accept([task("t1", agent.id)]);
  framework.disconnect();
  s.step({ kind: "readOnly", on: true, reason: "full" });
  const before = s.steps.length;
  framework.subscribe();
  const stranger = s.subscribe();
  t.true(s.steps.slice(before).every(({ atoms }) => atoms.length === 0));
  t.true(framework.open);
  t.false(stranger.open);
  t.deepEqual(stranger.events, []);
  s.step({ kind: "readOnly", on: false, reason: "" });
  t.is(s.tables.frameworks.get(framework.id)?.standing?.$case, "subscribed");
});
