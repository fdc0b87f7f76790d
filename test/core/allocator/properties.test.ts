import test from "ava";
import fc from "fast-check";
import { Allocator } from "../../../src/core/allocator/allocator.ts";
import type { Allocation } from "../../../src/core/allocator/settings.ts";
import { Resources } from "../../../src/model/resources.ts";
import { framework, resources, shown } from "./scenario.ts";

const agentIds = ["a1", "a2", "a3"];
const frameworkIds = ["A", "B", "C"];
const roles = ["*", "x", "x/y", "z"];
const totals = ["cpus:4;mem:1024;ports:[1-9]", "cpus:2;mem:512;cpus(x):2", "cpus:1;mem:64;gpus:1", "cpus:0.5;disks:{a,b}"];
const tasks = ["cpus:1;mem:100", "cpus:0.5", "ports:[3-4]", "mem:64;cpus(x):1"];

/** What is asked of the allocator; numbers pick among what there is at that moment. */
type Step =
  | { kind: "framework"; id: string; roles: string[]; suppressed: boolean; gpu: boolean }
  | { kind: "leave" | "revive" | "suppress"; id: string }
  | { kind: "agent"; id: string; total: string; active: boolean }
  | { kind: "agentLeaves"; id: string }
  | { kind: "charge"; id: string; role: string; agent: string; task: string }
  | { kind: "end" | "launch"; pick: number; task: string }
  | { kind: "decline"; pick: number; seconds: number }
  | { kind: "weight"; role: string; weight: number }
  | { kind: "wait"; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("framework" as const),
    id: fc.constantFrom(...frameworkIds),
    roles: fc.subarray(roles),
    suppressed: fc.boolean(),
    gpu: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom("leave" as const, "revive" as const, "suppress" as const), id: fc.constantFrom(...frameworkIds) }),
  fc.record({
    kind: fc.constant("agent" as const),
    id: fc.constantFrom(...agentIds),
    total: fc.constantFrom(...totals),
    active: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("agentLeaves" as const), id: fc.constantFrom(...agentIds) }),
  fc.record({
    kind: fc.constant("charge" as const),
    id: fc.constantFrom(...frameworkIds),
    role: fc.constantFrom(...roles),
    agent: fc.constantFrom(...agentIds),
    task: fc.constantFrom(...tasks),
  }),
  fc.record({
    kind: fc.constantFrom("end" as const, "launch" as const),
    pick: fc.nat(99),
    task: fc.constantFrom(...tasks),
  }),
  fc.record({ kind: fc.constant("decline" as const), pick: fc.nat(99), seconds: fc.constantFrom(0, 1, 5, 100) }),
  fc.record({
    kind: fc.constant("weight" as const),
    role: fc.constantFrom(...roles),
    weight: fc.constantFrom(0.5, 1, 3),
  }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(6_000) }),
);

/** Plays the master: keeps offers and tasks, and gives the allocator only calls that a correct master would make. */
class Master {
  readonly allocator = new Allocator();
  readonly agents = new Map<string, Resources>();
  offers: Allocation[] = [];
  running: Allocation[] = [];
  now = 0;
  readonly log: string[] = [];

  apply(step: Step): void {
    const { allocator } = this;
    switch (step.kind) {
      case "framework": {
        const suppressedRoles = step.suppressed ? step.roles.slice(0, 1) : [];
        this.#rescind((offer) => offer.frameworkId === step.id && !step.roles.includes(offer.role));
        allocator.updateFramework(step.id, framework(step.roles, { suppressedRoles, capabilities: { gpu: step.gpu } }));
        break;
      }
      case "leave":
        this.#rescind((offer) => offer.frameworkId === step.id);
        allocator.removeFramework(step.id);
        break;
      case "revive":
        allocator.revive(step.id, roles);
        break;
      case "suppress":
        allocator.suppress(step.id, roles);
        break;
      case "agent": {
        const total = resources(step.total);
        this.#rescind((offer) => offer.agentId === step.id);
        if (this.agents.has(step.id)) allocator.updateAgent(step.id, { total, active: step.active });
        else allocator.addAgent(step.id, { total, active: step.active });
        this.agents.set(step.id, total);
        break;
      }
      case "agentLeaves":
        allocator.removeAgent(step.id);
        this.agents.delete(step.id);
        this.offers = this.offers.filter(({ agentId }) => agentId !== step.id);
        this.running = this.running.filter(({ agentId }) => agentId !== step.id);
        break;
      case "charge":
        if (this.agents.has(step.agent)) {
          const task = { frameworkId: step.id, role: step.role, agentId: step.agent, resources: resources(step.task) };
          allocator.charge(task.frameworkId, task.role, task.agentId, task.resources);
          this.running.push(task);
        }
        break;
      case "end": {
        const [task] = this.running.splice(step.pick % Math.max(1, this.running.length), 1);
        if (task !== undefined) allocator.release(task.frameworkId, task.role, task.agentId, task.resources);
        break;
      }
      case "launch": {
        const offer = this.offers[step.pick % Math.max(1, this.offers.length)];
        const task = resources(step.task);
        const rest = offer?.resources.subtract(task);
        if (offer === undefined || rest === undefined) break;
        this.offers = this.offers.filter((other) => other !== offer);
        allocator.convertOffer(offer.frameworkId, offer.role, offer.agentId, task);
        allocator.returnOffer(offer.frameworkId, offer.role, offer.agentId, rest, 5, this.now);
        this.running.push({ ...offer, resources: task });
        break;
      }
      case "decline": {
        const [offer] = this.offers.splice(step.pick % Math.max(1, this.offers.length), 1);
        if (offer === undefined) break;
        allocator.returnOffer(offer.frameworkId, offer.role, offer.agentId, offer.resources, step.seconds, this.now);
        break;
      }
      case "weight":
        allocator.setWeight(step.role, step.weight);
        break;
      case "wait":
        this.now += step.ms;
    }
  }

  allocate(): Allocation[] {
    const offers = this.allocator.allocate(this.now);
    this.offers.push(...offers);
    this.log.push(...shown(offers));
    return offers;
  }

  #rescind(which: (offer: Allocation) => boolean): void {
    for (const offer of this.offers.filter(which)) {
      this.allocator.returnOffer(offer.frameworkId, offer.role, offer.agentId, offer.resources, 0, this.now);
    }
    this.offers = this.offers.filter((offer) => !which(offer));
  }
}

const steps = fc.array(step, { maxLength: 60 });

test("property I14, I16: the books agree after every step, and no agent is ever offered beyond its total", (t) => {
  fc.assert(
    fc.property(steps, (all) => {
      const master = new Master();
      for (const each of all) {
        master.apply(each);
        t.deepEqual(master.allocator.invariants(), []);
        for (const { agentId, resources, role } of master.allocate()) {
          t.true(master.agents.get(agentId)!.contains(resources));
          t.true(resources.usableBy(role).equals(resources));
          t.false(master.allocator.isOverCommitted(agentId));
        }
        t.deepEqual(master.allocator.invariants(), []);
      }
      for (const [agentId, total] of master.agents) {
        if (master.allocator.isOverCommitted(agentId)) continue;
        const held = [...master.offers, ...master.running].filter((each) => each.agentId === agentId);
        const sum = Resources.sum(held.map((each) => each.resources));
        t.true(master.allocator.available(agentId).add(sum).equals(total));
      }
    }),
    { numRuns: 300 },
  );
});

test("property: a pass leaves nothing that it could have offered", (t) => {
  fc.assert(
    fc.property(steps, (all) => {
      const master = new Master();
      for (const each of all) {
        master.apply(each);
        master.allocate();
      }
      for (const id of frameworkIds) {
        for (const role of roles) {
          for (const agent of agentIds) t.not(master.allocator.explain(id, role, agent).reason, "eligible");
        }
      }
      t.false(master.allocator.pending);
    }),
    { numRuns: 300 },
  );
});

test("property: the same calls give the same offers", (t) => {
  fc.assert(
    fc.property(steps, (all) => {
      const [one, two] = [new Master(), new Master()];
      for (const master of [one, two]) {
        for (const each of all) {
          master.apply(each);
          master.allocate();
        }
      }
      t.deepEqual(one.log, two.log);
    }),
  );
});

test("property: when all has ended nothing is left in the books", (t) => {
  fc.assert(
    fc.property(steps, (all) => {
      const master = new Master();
      for (const each of all) {
        master.apply(each);
        master.allocate();
      }
      for (const id of frameworkIds) master.apply({ kind: "leave", id });
      while (master.running.length > 0) master.apply({ kind: "end", pick: 0, task: "" });
      t.deepEqual(master.allocator.roleShares(), []);
      t.is(master.allocator.nextDeadline(), undefined);
      for (const [id, total] of master.agents) t.true(master.allocator.available(id).equals(total));
    }),
  );
});
