import test from "ava";
import { Allocator } from "../../../src/core/allocator/allocator.ts";
import { ResourceNames } from "../../../src/core/allocator/quantities.ts";
import { ShareTree } from "../../../src/core/allocator/share-tree.ts";
import { framework, resources } from "./scenario.ts";

/** An agent with cpus and a hundred resources that no other agent has. */
const odd = (i: number) => resources(`cpus:4;mem:4096;${Array.from({ length: 100 }, (_, n) => `odd-${i}-${n}:1`).join(";")}`);

test("13.4 names of resources that agents took away with them take no room", (t) => {
  const tree = new ShareTree(new ResourceNames());
  const client = tree.clientOf("f", "a/b");
  for (let i = 0; i < 200; i++) {
    tree.countTotal(odd(i), 1);
    tree.countHeld(client, odd(i), 1);
    tree.countHeld(client, odd(i), -1);
    tree.countTotal(odd(i), -1);
  }
  t.true(tree.total.length <= 500, `${tree.total.length}`);
  t.true(client.held.length <= 500, `${client.held.length}`);
});

test("I16 the books stay right while names come, are held beyond their agents' stay among others, and go", (t) => {
  const allocator = new Allocator();
  allocator.addFramework("f", framework(["a"]));
  allocator.addFramework("g", framework(["b"]));
  const name = (i: number) => `agent-${i}`;
  for (let i = 0; i < 40; i++) {
    allocator.addAgent(name(i), { total: odd(i), active: true });
    for (const { frameworkId, role, agentId, resources: offered } of allocator.allocate(i)) {
      if (i % 3 === 0) allocator.convertOffer(frameworkId, role, agentId, offered);
    }
    if (i % 5 === 0) allocator.setAgentActive(name(i), false);
    if (i >= 6) allocator.removeAgent(name(i - 6));
    if (i % 5 === 4) allocator.setAgentActive(name(i - 4), true);
    t.deepEqual(allocator.invariants(), []);
  }
});
