import test from "ava";
import { Allocator } from "../../../src/core/allocator/allocator.ts";
import { cluster, decline, framework, resources, shown } from "./scenario.ts";

test("a declined agent comes back when the filter ends, to others at once", (t) => {
  const allocator = cluster("cpus:4;mem:1024");
  allocator.addFramework("A", framework());
  decline(allocator, allocator.allocate(0), 0);
  t.is(allocator.nextDeadline(), 5_000);
  t.deepEqual(allocator.allocate(4_999), []);
  t.deepEqual(allocator.explain("A", "*", "a1"), { reason: "filtered", until: 5_000 });
  t.deepEqual(shown(allocator.allocate(5_000)), ["A/* a1 cpus:4;mem:1024"]);
  t.is(allocator.nextDeadline(), undefined);
  decline(allocator, [{ frameworkId: "A", role: "*", agentId: "a1", resources: resources("cpus:4;mem:1024") }], 5_000);
  allocator.addFramework("B", framework());
  t.deepEqual(shown(allocator.allocate(5_001)), ["B/* a1 cpus:4;mem:1024"]);
});

for (const [seconds, ends] of [
  [undefined, 5_000],
  [NaN, 5_000],
  [-1, 5_000],
  [0, undefined],
  [0.5, 500],
  [1e12, 31_536_000_000],
  [Infinity, 31_536_000_000],
] as const) {
  test(`refuse_seconds ${seconds} ends at ${ends}`, (t) => {
    const allocator = cluster("cpus:4;mem:1024");
    allocator.addFramework("A", framework());
    decline(allocator, allocator.allocate(0), 0, seconds);
    t.is(allocator.nextDeadline(), ends);
    t.is(allocator.allocate(0).length, ends === undefined ? 1 : 0);
  });
}

test("a filter blocks as much as was refused or less, not more", (t) => {
  const allocator = cluster("cpus:4;mem:1024");
  allocator.addFramework("A", framework());
  allocator.charge("A", "*", "a1", resources("cpus:2"));
  decline(allocator, allocator.allocate(0), 0, 60);
  allocator.charge("A", "*", "a1", resources("cpus:1"));
  t.deepEqual(allocator.allocate(1), [], "less");
  allocator.release("A", "*", "a1", resources("cpus:2"));
  t.deepEqual(shown(allocator.allocate(2)), ["A/* a1 cpus:3;mem:1024"]);
});

test("a filter is for one role only", (t) => {
  const allocator = cluster("cpus:4;mem:1024");
  allocator.addFramework("A", framework(["x", "y"]));
  const first = allocator.allocate(0);
  decline(allocator, first, 0, 60);
  const second = allocator.allocate(0);
  t.deepEqual([...shown(first), ...shown(second)], ["A/x a1 cpus:4;mem:1024", "A/y a1 cpus:4;mem:1024"]);
});

test("revive lifts the filters and un-suppresses", (t) => {
  const allocator = cluster("cpus:4;mem:1024");
  allocator.addFramework("A", framework());
  decline(allocator, allocator.allocate(0), 0, 3600);
  allocator.suppress("A", ["*", "unknown"]);
  t.deepEqual(allocator.explain("A", "*", "a1"), { reason: "suppressed" });
  t.deepEqual(allocator.allocate(4_000_000), []);
  decline(allocator, [], 0);
  allocator.revive("A", ["*", "unknown"]);
  t.is(allocator.allocate(4_000_001).length, 1);
  t.is(allocator.nextDeadline(), undefined);
});

test("a framework may subscribe with roles suppressed", (t) => {
  const allocator = cluster("cpus:4;mem:1024");
  allocator.addFramework("A", framework(["a", "b"], { suppressedRoles: ["a"] }));
  t.deepEqual(shown(allocator.allocate(0)), ["A/b a1 cpus:4;mem:1024"]);
});

test("update: a removed role gets no offers, an added one does, filters of the others stay", (t) => {
  const allocator = cluster("cpus:4;mem:1024");
  allocator.addFramework("A", framework(["a"]));
  decline(allocator, allocator.allocate(0), 0, 3600);
  allocator.updateFramework("A", framework(["a", "b"]));
  t.deepEqual(shown(allocator.allocate(1)), ["A/b a1 cpus:4;mem:1024"]);
  allocator.updateFramework("A", framework(["a"]));
  allocator.returnOffer("A", "b", "a1", resources("cpus:4;mem:1024"), 0, 2);
  t.deepEqual(allocator.allocate(2), []);
  t.deepEqual(allocator.explain("A", "b", "a1"), { reason: "notSubscribed" });
  t.deepEqual(allocator.explain("A", "a", "a1"), { reason: "filtered", until: 3_600_000 });
  t.deepEqual(allocator.invariants(), []);
});

test("a framework that left is offered nothing, and its filters are gone when it returns", (t) => {
  const allocator = cluster("cpus:4;mem:1024");
  allocator.addFramework("A", framework());
  decline(allocator, allocator.allocate(0), 0, 3600);
  allocator.removeFramework("A");
  t.is(allocator.nextDeadline(), undefined);
  t.deepEqual(allocator.allocate(1), []);
  allocator.addFramework("A", framework());
  t.is(allocator.allocate(2).length, 1);
});

test("agents with gpus are for frameworks that can use them, unless told otherwise", (t) => {
  const allocator = cluster("cpus:4;mem:1024;gpus:1");
  allocator.addFramework("A", framework());
  t.deepEqual(allocator.allocate(0), []);
  t.deepEqual(allocator.explain("A", "*", "a1"), { reason: "gpus" });
  allocator.updateFramework("A", framework(["*"], { capabilities: { gpu: true } }));
  t.is(allocator.allocate(0).length, 1);

  const open = new Allocator({ filterGpuResources: false });
  open.addAgent("a1", { total: resources("cpus:4;gpus:1"), active: true });
  open.addFramework("A", framework());
  t.is(open.allocate(0).length, 1);
});

test("less than 0.01 cpus and 32 MB is not offered", (t) => {
  const allocator = cluster("cpus:0.009;mem:31", "cpus:0.01", "mem:32", "disk:1000");
  allocator.addFramework("A", framework());
  t.deepEqual(shown(allocator.allocate(0)), ["A/* a2 cpus:0.01", "A/* a3 mem:32"]);
  t.is(allocator.explain("A", "*", "a1").reason, "belowMinimum");
});

test("an inactive agent is not offered and does not count for shares", (t) => {
  const allocator = cluster("cpus:4;mem:1024", "cpus:4;mem:1024");
  allocator.charge("A", "*", "a1", resources("cpus:1"));
  t.is(allocator.talliesOf("A")[0]?.share, 1 / 8);
  allocator.setAgentActive("a2", false);
  t.is(allocator.talliesOf("A")[0]?.share, 1 / 4);
  allocator.addFramework("A", framework());
  t.deepEqual(shown(allocator.allocate(0)), ["A/* a1 cpus:3;mem:1024"]);
  t.deepEqual(allocator.explain("A", "*", "a2"), { reason: "agentInactive" });
  allocator.setAgentActive("a2", true);
  t.deepEqual(shown(allocator.allocate(0)), ["A/* a2 cpus:4;mem:1024"]);
});

test("I14: an agent that came back smaller is not offered until enough has ended", (t) => {
  const allocator = cluster("cpus:4;mem:1024");
  allocator.addFramework("A", framework());
  allocator.charge("A", "*", "a1", resources("cpus:1;mem:100"));
  allocator.charge("A", "*", "a1", resources("cpus:2;mem:100"));
  allocator.updateAgent("a1", { total: resources("cpus:2;mem:1024"), active: true });
  t.true(allocator.isOverCommitted("a1"));
  t.true(allocator.available("a1").isEmpty);
  t.deepEqual(allocator.allocate(0), []);
  t.deepEqual(allocator.explain("A", "*", "a1"), { reason: "overCommitted" });
  allocator.release("A", "*", "a1", resources("cpus:1;mem:100"));
  t.deepEqual(shown(allocator.allocate(0)), ["A/* a1 mem:924"]);
  t.deepEqual(allocator.invariants(), []);
});

test("I14: one port used by two tasks keeps the agent from being offered until one has ended", (t) => {
  const allocator = cluster("cpus:4;mem:1024;ports:[1-10]");
  for (const id of ["A", "A", "B"]) allocator.charge(id, "*", "a1", resources("ports:[5-5]"));
  t.true(allocator.isOverCommitted("a1"));
  allocator.addFramework("A", framework());
  for (const id of ["A", "B"]) allocator.release(id, "*", "a1", resources("ports:[5-5]"));
  t.deepEqual(shown(allocator.allocate(0)), ["A/* a1 cpus:4;mem:1024;ports:[1-4,6-10]"]);
  allocator.release("A", "*", "a1", resources("ports:[5-5]"));
  t.deepEqual(shown(allocator.allocate(0)), [], "a port alone is below the minimum");
  t.is(String(allocator.available("a1")), "ports:[5-5]");
  t.deepEqual(allocator.invariants(), []);
});

test("an offer is taken apart: part used, the rest returned", (t) => {
  const allocator = cluster("cpus:4;mem:1024");
  allocator.addFramework("A", framework());
  allocator.allocate(0);
  allocator.convertOffer("A", "*", "a1", resources("cpus:1;mem:100"));
  allocator.returnOffer("A", "*", "a1", resources("cpus:3;mem:924"), 60, 0);
  const [holding] = allocator.holdingsOn("a1");
  t.deepEqual([String(holding?.used), String(holding?.offered)], ["cpus:1;mem:100", ""]);
  t.is(String(allocator.available("a1")), "cpus:3;mem:924");
});

test("a removed agent takes its offers, charges and filters with it", (t) => {
  const allocator = cluster("cpus:4;mem:1024");
  allocator.addFramework("A", framework());
  allocator.charge("B", "b", "a1", resources("cpus:1"));
  decline(allocator, allocator.allocate(0), 0, 60);
  allocator.removeAgent("a1");
  t.is(allocator.nextDeadline(), undefined);
  t.deepEqual(allocator.talliesOf("B"), []);
  t.deepEqual(allocator.explain("A", "*", "a1"), { reason: "unknownAgent" });
  allocator.release("B", "b", "a1", resources("cpus:1"));
  t.deepEqual(allocator.invariants(), []);
});

test("a quiet cluster has nothing pending", (t) => {
  const allocator = cluster("cpus:4;mem:1024");
  t.true(allocator.pending);
  allocator.allocate(0);
  t.false(allocator.pending);
  allocator.addFramework("A", framework());
  t.true(allocator.pending);
  decline(allocator, allocator.allocate(0), 0, 60);
  t.true(allocator.pending, "others may want it");
  allocator.allocate(0);
  t.false(allocator.pending);
});

test("calls that contradict the books are bugs", (t) => {
  const allocator = cluster("cpus:4;mem:1024");
  const name = "AssertionFailure";
  t.throws(() => allocator.addAgent("a1", { total: resources("cpus:1"), active: true }), { name });
  t.throws(() => allocator.release("A", "*", "a1", resources("cpus:1")), { name });
  t.throws(() => allocator.convertOffer("A", "*", "a1", resources("cpus:1")), { name });
  t.throws(() => allocator.charge("A", "*", "a9", resources("cpus:1")), { name });
  t.throws(() => allocator.setWeight("a", 0), { name });
});
