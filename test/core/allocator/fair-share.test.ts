import test from "ava";
import { cluster, decline, framework, launchAll, resources, shown } from "./scenario.ts";

test("the example of the DRF paper: 9 cpus, 18 GB; A needs 1 and 4, B needs 3 and 1", (t) => {
  const allocator = cluster("cpus:9;mem:18432");
  allocator.addFramework("A", framework(["a"]));
  allocator.addFramework("B", framework(["b"]));
  t.deepEqual(launchAll(allocator, { A: "cpus:1;mem:4096", B: "cpus:3;mem:1024" }), { A: 3, B: 2 });
  const shares = allocator.roleShares().map(({ role, share }) => [role, share.toFixed(3)]);
  t.deepEqual(new Map(shares as [string, string][]), new Map([["a", "0.667"], ["b", "0.667"]]));
  t.deepEqual(allocator.invariants(), []);
});

test("an offer is all that remains of an agent, to one framework", (t) => {
  const allocator = cluster("cpus:4;mem:1024", "cpus:4;mem:1024");
  allocator.addFramework("A", framework());
  t.deepEqual(shown(allocator.allocate(0)), ["A/* a1 cpus:4;mem:1024", "A/* a2 cpus:4;mem:1024"]);
  t.deepEqual(allocator.allocate(0), []);
});

test("agents are shared evenly among frameworks of one role", (t) => {
  const allocator = cluster(...Array<string>(6).fill("cpus:4;mem:1024"));
  for (const id of ["A", "B", "C"]) allocator.addFramework(id, framework());
  const offers = allocator.allocate(0).map(({ frameworkId }) => frameworkId);
  t.deepEqual(offers.sort(), ["A", "A", "B", "B", "C", "C"]);
});

test("weights: a role of weight 2 gets twice as much", (t) => {
  const allocator = cluster(...Array<string>(9).fill("cpus:1;mem:1024"));
  allocator.setWeight("heavy", 2);
  allocator.addFramework("H", framework(["heavy"]));
  allocator.addFramework("L", framework(["light"]));
  t.deepEqual(launchAll(allocator, { H: "cpus:1;mem:1024", L: "cpus:1;mem:1024" }), { H: 6, L: 3 });
});

test("weights may change while roles are in use", (t) => {
  const allocator = cluster("cpus:4;mem:1024");
  allocator.addFramework("A", framework(["a"]));
  allocator.addFramework("B", framework(["b"]));
  allocator.charge("A", "a", "a1", resources("cpus:1"));
  allocator.charge("B", "b", "a1", resources("cpus:2"));
  allocator.setWeight("b", 4);
  t.deepEqual(shown(allocator.allocate(0)), ["B/b a1 cpus:1;mem:1024"]);
});

test("hierarchy: siblings share what their parent gets", (t) => {
  const allocator = cluster(...Array<string>(8).fill("cpus:1;mem:1024"));
  allocator.addFramework("A", framework(["eng/web"]));
  allocator.addFramework("B", framework(["eng/db"]));
  allocator.addFramework("C", framework(["ads"]));
  const size = "cpus:1;mem:1024";
  t.deepEqual(launchAll(allocator, { A: size, B: size, C: size }), { A: 2, B: 2, C: 4 });
});

test("hierarchy: a role's own frameworks compete with its sub-roles as one of them", (t) => {
  const allocator = cluster(...Array<string>(6).fill("cpus:1;mem:1024"));
  allocator.addFramework("A", framework(["eng"]));
  allocator.addFramework("B", framework(["eng"]));
  allocator.addFramework("C", framework(["eng/web"]));
  const size = "cpus:1;mem:1024";
  const { A, B, C } = launchAll(allocator, { A: size, B: size, C: size });
  t.deepEqual([A! + B!, C], [3, 3]);
});

test("what a framework's tasks use counts before it subscribes, and after it left", (t) => {
  const allocator = cluster("cpus:4;mem:4096", "cpus:2;mem:2048");
  allocator.setAgentActive("a2", false);
  allocator.charge("A", "*", "a1", resources("cpus:2"));
  allocator.addFramework("A", framework());
  allocator.addFramework("B", framework());
  t.deepEqual(shown(allocator.allocate(0)), ["B/* a1 cpus:2;mem:4096"]);
  allocator.removeFramework("A");
  t.is(allocator.talliesOf("A")[0]?.used.get("cpus"), 2_000);
  allocator.release("A", "*", "a1", resources("cpus:2"));
  t.deepEqual(allocator.talliesOf("A"), []);
  t.deepEqual(allocator.invariants(), []);
});

test("among equal shares whoever was offered least comes first", (t) => {
  const allocator = cluster("cpus:4;mem:1024");
  allocator.addFramework("A", framework());
  allocator.addFramework("B", framework());
  const order: string[] = [];
  for (let now = 0; now < 4; now++) {
    const offers = allocator.allocate(now);
    order.push(...offers.map(({ frameworkId }) => frameworkId));
    decline(allocator, offers, now, 0);
  }
  t.deepEqual(order, ["A", "B", "A", "B"]);
});

test("the agent that a pass visits first changes from pass to pass", (t) => {
  const allocator = cluster("cpus:1;mem:64", "cpus:1;mem:64", "cpus:1;mem:64");
  allocator.addFramework("A", framework());
  const first: string[] = [];
  for (let now = 0; now < 4; now++) {
    const offers = allocator.allocate(now);
    first.push(offers[0]!.agentId);
    decline(allocator, offers, now, 0);
    allocator.revive("A", ["*"]);
  }
  t.deepEqual(first, ["a1", "a2", "a3", "a1"]);
});

test("reserved resources go to their role and those below it, and are offered beside the unreserved", (t) => {
  const allocator = cluster("cpus:2;mem:1024;cpus(ads):4;cpus(ads/web):1");
  allocator.addFramework("X", framework(["other"]));
  t.deepEqual(shown(allocator.allocate(0)), ["X/other a1 cpus:2;mem:1024"]);
  allocator.addFramework("A", framework(["ads"]));
  t.deepEqual(shown(allocator.allocate(0)), ["A/ads a1 cpus(ads):4"]);
  allocator.addFramework("W", framework(["ads/web"]));
  t.deepEqual(shown(allocator.allocate(0)), ["W/ads/web a1 cpus(ads/web):1"]);
  t.true(allocator.available("a1").isEmpty);
});

test("a framework of several roles is offered each by itself", (t) => {
  const allocator = cluster("cpus:1;mem:64;cpus(b):1", "cpus:1;mem:64");
  allocator.addFramework("A", framework(["a", "b"]));
  const offers = shown(allocator.allocate(0)).sort();
  t.deepEqual(offers, ["A/a a1 cpus:1;mem:64", "A/b a1 cpus(b):1", "A/b a2 cpus:1;mem:64"]);
});
