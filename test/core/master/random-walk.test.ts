import test from "ava";
import { seededRandom } from "../../../src/base/random.ts";
import { violations } from "../../../src/core/master/invariants.ts";
import { dumpPage, jsonOf } from "../../../src/core/master/registry-dump.ts";
import { Tables } from "../../../src/core/registry/tables.ts";
import { isTerminal } from "../../../src/model/task-state.ts";
import { FrameworkInfo_Capability_Type as Capability, TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Call_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { AgentDouble } from "./agent-double.ts";
import { type FrameworkDouble, task } from "./framework-double.ts";
import { Scenario } from "./scenario.ts";

const SEEDS = 20;
const STEPS = 300;
const FINAL = [TaskState.TASK_FINISHED, TaskState.TASK_FAILED, TaskState.TASK_KILLED];

/** Frameworks, agents and leaders come and go at random; the scenario checks the invariants after every step. */
class Walk {
  readonly s = new Scenario({ settings: { offerTimeoutMs: 20_000 } });
  readonly frameworks: FrameworkDouble[] = [];
  readonly agents: AgentDouble[] = [];
  readonly #random;
  #tasks = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    for (let i = 0; i < 4; i++) this.agents.push(this.s.agent({ hostname: `h${i}` }));
    for (let i = 0; i < 4; i++) this.frameworks.push(this.#newFramework());
  }

  step(): void {
    const framework = this.#one(this.frameworks);
    const agent = this.#one(this.agents);
    const actions: readonly (readonly [weight: number, action: () => void])[] = [
      [6, () => this.#launch(framework)],
      [2, () => framework.decline(this.#below(4) * 3)],
      [8, () => this.#progress(agent)],
      [4, () => this.#acknowledge(framework)],
      [2, () => this.#kill(framework)],
      [1, () => framework.reconcile()],
      [1, () => framework.call({ type: this.#below(2) === 0 ? Call_Type.REVIVE : Call_Type.SUPPRESS })],
      [2, () => this.#toggleFramework(framework)],
      [2, () => this.#toggleAgent(agent)],
      [1, () => this.#failover()],
      [1, () => this.#mute()],
      [4, () => this.s.advance(this.#below(8) * 1_000)],
      [1, () => this.s.advance(90_000)],
      [0.3, () => this.#replace(framework)],
    ];
    let pick = this.#random.uniform() * actions.reduce((sum, [weight]) => sum + weight, 0);
    const [, action] = actions.find(([weight]) => (pick -= weight) < 0)!;
    action();
    this.s.settle();
  }

  /** Everybody comes back and everything ends: nothing may be left over. */
  end(): void {
    this.s.step({ kind: "mute", on: false });
    for (const agent of this.agents) if (!agent.confirmed) agent.connect();
    for (const framework of this.frameworks) if (!framework.open) framework.subscribe();
    // Those that were replaced while away are given up in the meantime (10.5).
    this.s.advance(700_000);
    for (let round = 0; round < 50; round++) {
      for (const agent of this.agents) this.#progress(agent, true);
      for (const framework of this.frameworks) this.#acknowledge(framework);
      this.s.advance(2_000);
    }
  }

  #newFramework(): FrameworkDouble {
    const capabilities = this.#below(2) === 0 ? [{ type: Capability.PARTITION_AWARE }] : [];
    return this.s.subscribe({ capabilities, failoverTimeout: this.#below(3) * 40 });
  }

  #launch(framework: FrameworkDouble): void {
    const offer = [...framework.offers.values()][0];
    if (offer === undefined) return;
    const tasks = Array.from({ length: 1 + this.#below(3) }, () => {
      this.#tasks += 1;
      return task(`t${this.#tasks}`, offer.agentId!.value!, { cpus: 0.5 + this.#below(3) / 2 });
    });
    framework.accept(tasks, [offer.id!.value!], this.#below(3));
  }

  /** Some task of the agent goes on; only ends where `ending`. */
  #progress(agent: AgentDouble, ending = false): void {
    if (!agent.confirmed) return;
    const all = [...agent.held.values()];
    for (const held of ending ? all : all.slice(0, 1 + this.#below(3))) {
      const id = held.launch.task!.taskId!.value!;
      if (isTerminal(held.state) || !agent.held.has(held.launch.launchId)) agent.repeat(id);
      else if (ending || held.state === TaskState.TASK_RUNNING) agent.update(id, this.#one(FINAL));
      else agent.update(id, TaskState.TASK_RUNNING);
    }
  }

  #acknowledge(framework: FrameworkDouble): void {
    if (!framework.open) return;
    const last = new Map(framework.updates.filter(({ uuid }) => uuid !== undefined).map((status) => [status.taskId!.value, status]));
    for (const status of last.values()) framework.acknowledge(status);
  }

  #kill(framework: FrameworkDouble): void {
    const live = [...this.s.tables.frameworkBooks(framework.id).live.keys()];
    if (live.length > 0) framework.kill(this.#one(live));
  }

  #toggleFramework(framework: FrameworkDouble): void {
    if (framework.open) framework.disconnect(this.#below(2) === 0);
    else framework.subscribe();
  }

  #toggleAgent(agent: AgentDouble): void {
    if (agent.confirmed) return agent.disconnect();
    if (this.#below(3) === 0) agent.restart();
    agent.connect();
  }

  /** Some come back at once, others later or never. */
  #failover(): void {
    this.s.failover({ leaderlessMs: this.#below(3) * 100 });
    for (const agent of this.agents) {
      agent.confirmed = false;
      if (this.#below(2) === 0) agent.connect();
    }
    for (const framework of this.frameworks) if (this.#below(2) === 0) framework.subscribe();
  }

  #mute(): void {
    this.s.step({ kind: "mute", on: true });
    this.s.advance(this.#below(4) * 1_000);
    this.s.step({ kind: "mute", on: false });
  }

  #replace(framework: FrameworkDouble): void {
    if (framework.open) framework.call({ type: Call_Type.TEARDOWN });
    this.frameworks[this.frameworks.indexOf(framework)] = this.#newFramework();
  }

  #below(limit: number): number {
    return Math.floor(this.#random.uniform() * limit);
  }

  #one<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!;
  }
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`whatever happens the invariants hold, and in the end every task has ended and is forgotten (seed ${seed})`, (t) => {
    const walk = new Walk(seed);
    for (let step = 0; step < STEPS; step++) walk.step();
    walk.end();
    for (const agent of walk.agents) t.is(agent.held.size, 0, agent.hostname);
    t.deepEqual([...walk.s.tables.tasks.values()], []);
    t.deepEqual(walk.s.said("alarm").filter(({ cause }) => cause !== "agents-away"), []);
  });
}

const everything = (tables: Tables) => dumpPage(tables, { kinds: [], after: "", limit: 10_000 }).rows;

test("3.12 a standby that folds the writes has the leader's tables", (t) => {
  const walk = new Walk(77);
  for (let step = 0; step < STEPS; step++) walk.step();
  const standby = new Tables();
  for (const { atoms } of walk.s.steps) for (const { writes } of atoms) for (const write of writes) standby.apply(write);
  t.deepEqual(everything(standby), everything(walk.s.tables));
});

test("3.7 a step undone leaves the tables as they were", (t) => {
  const walk = new Walk(78);
  const { s } = walk;
  let undone = 0;
  for (let step = 0; step < STEPS; step++) {
    const before = s.steps.length;
    const rows = everything(s.tables);
    walk.step();
    const taken = s.steps.slice(before);
    for (const { undo } of taken.toReversed()) {
      for (const changes of undo.toReversed()) for (const change of changes) s.tables.apply(change);
    }
    t.deepEqual(everything(s.tables), rows);
    for (const { atoms } of taken) {
      undone += atoms.length;
      for (const { writes } of atoms) for (const write of writes) s.tables.apply(write);
    }
    t.deepEqual(violations(s.state), []);
  }
  t.true(undone > 50);
});

test("D1 the same inputs at the same times give the same words", (t) => {
  const wordsOf = () => {
    const walk = new Walk(79);
    for (let step = 0; step < STEPS; step++) walk.step();
    return walk.s.words.map((word) => jsonOf(word));
  };
  t.deepEqual(wordsOf(), wordsOf());
});
