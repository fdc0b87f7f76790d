/**
 * A leading master with frameworks and agents around it, all in one process and one step at a time. Every step's words
 * are delivered at once, as if its writes were durable; after every step the invariants are checked.
 */
import { type Random, seededRandom } from "../../../src/base/random.ts";
import { Tables } from "../../../src/core/registry/tables.ts";
import type { Input } from "../../../src/core/master/input.ts";
import { violations } from "../../../src/core/master/invariants.ts";
import { MasterMachine } from "../../../src/core/master/machine.ts";
import type { Output } from "../../../src/core/master/output.ts";
import { type MasterSettings, defaultMasterSettings } from "../../../src/core/master/settings.ts";
import type { MasterState } from "../../../src/core/master/state.ts";
import type { Step } from "../../../src/core/master/tx.ts";
import { sizeOfChange } from "../../../src/wire/registry-codec.ts";
import type { OperatorRequest } from "../../../src/wire/gen/mesarch/v1/operator.ts";
import type { FrameworkInfo } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { AgentDouble, type AgentOptions } from "./agent-double.ts";
import { FrameworkDouble } from "./framework-double.ts";

export interface ScenarioOptions {
  readonly settings?: Partial<MasterSettings>;
  readonly generation?: number;
}

/** Wall clock at the first promotion; nothing depends on it. */
const WALL = Date.UTC(2030, 0, 1);

export class Scenario {
  readonly tables = new Tables();
  readonly random: Random = seededRandom(1);
  readonly settings: MasterSettings;
  /** Monotonic milliseconds. */
  now = 1_000;
  machine: MasterMachine;
  /** Everything said, oldest first. */
  readonly words: Output[] = [];
  /** Every step taken by any leader. */
  readonly steps: Step[] = [];
  readonly #frameworks = new Map<number, FrameworkDouble>();
  readonly #agents = new Map<number, AgentDouble>();
  #generation: number;
  #revision = 100;
  #sessions = 0;
  #tokens = 0;

  constructor({ settings, generation = 1 }: ScenarioOptions = {}) {
    this.settings = { ...defaultMasterSettings, ...settings };
    this.#generation = generation;
    this.tables.apply({ kind: "meta", id: "", record: { clusterId: "c1", generation, format: 1 } });
    this.machine = this.#promote();
  }

  get state(): MasterState {
    return this.machine.state as MasterState;
  }

  /** Handles an input, in as many steps as it takes, and lets everybody hear what was said. Returns these words. */
  step(input: Input): readonly Output[] {
    const step = this.machine.step(input, this.now);
    this.steps.push(step);
    const found = violations(this.state);
    if (found.length > 0) throw new Error(`after ${input.kind}: ${found.map((v) => `${v.invariant}: ${v.detail}`).join("; ")}`);
    for (const word of step.words) this.#hear(word);
    return step.rest === undefined ? step.words : [...step.words, ...this.step(step.rest)];
  }

  /** Lets everything happen that is due now, such as the allocation. */
  settle(): void {
    for (let due = this.machine.nextDeadline(); due !== undefined && due <= this.now; due = this.machine.nextDeadline()) {
      this.step({ kind: "deadline" });
    }
  }

  /** Lets time pass, with every deadline on its moment. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (let due = this.machine.nextDeadline(); due !== undefined && due <= end; due = this.machine.nextDeadline()) {
      this.now = Math.max(this.now, due);
      this.step({ kind: "deadline" });
    }
    this.now = end;
  }

  /** The leader dies; another is promoted over the same tables. Nobody has a stream to it yet. */
  failover(options: { readonly generation?: number; readonly leaderlessMs?: number } = {}): void {
    const epoch = { generation: this.#generation, revision: this.#revision };
    const clusterClock = this.state.clockAtStart + Math.floor((this.now - this.state.startedAt) / 1000);
    this.tables.head = { epoch, master: "m1", n: 1, ops: 1, clusterClock };
    if (options.generation !== undefined) {
      this.#generation = options.generation;
      const meta = { ...this.tables.meta!, generation: options.generation, lastEpochBefore: epoch };
      this.tables.apply({ kind: "meta", id: "", record: meta });
    }
    this.#revision += 100;
    this.now += options.leaderlessMs ?? 0;
    for (const framework of this.#frameworks.values()) framework.lostStream();
    this.#frameworks.clear();
    this.#agents.clear();
    this.machine = this.#promote();
  }

  /** A framework subscribes; what a master may say to it at once has been said. */
  subscribe(info: Partial<FrameworkInfo> = {}, more: { readonly suppressedRoles?: string[]; readonly principal?: string } = {}): FrameworkDouble {
    const framework = new FrameworkDouble(this, { user: "u", name: "demo", capabilities: [], roles: [], offerFilters: {}, ...info });
    framework.subscribe(more);
    this.settle();
    return framework;
  }

  /** An agent connects, registers and is confirmed. */
  agent(options: AgentOptions = {}): AgentDouble {
    const agent = new AgentDouble(this, options);
    agent.connect();
    this.settle();
    return agent;
  }

  /** Asks as an operator; the answer, or the refusal. */
  operator(call: NonNullable<OperatorRequest["call"]>): Output {
    const token = this.token();
    const words = this.step({ kind: "operator", token, principal: "op", request: { allowStale: false, call } });
    return words.find((word) => "token" in word && word.token === token)!;
  }

  newSession(double: FrameworkDouble | AgentDouble): number {
    const session = ++this.#sessions;
    if (double instanceof AgentDouble) this.#agents.set(session, double);
    else this.#frameworks.set(session, double);
    return session;
  }

  token(): number {
    return ++this.#tokens;
  }

  /** What was said of one kind, oldest first. */
  said<K extends Output["kind"]>(kind: K): Extract<Output, { kind: K }>[] {
    return this.words.filter((word): word is Extract<Output, { kind: K }> => word.kind === kind);
  }

  #promote(): MasterMachine {
    const leadership = {
      generation: this.#generation,
      revision: this.#revision,
      clusterId: "c1",
      master: "m1",
      address: "127.0.0.1:5050",
      since: this.#revision,
      electedAtMs: WALL + this.now,
    };
    const { settings, tables, random } = this;
    return new MasterMachine({ leadership, settings, tables, random, sizeOf: sizeOfChange }, this.now);
  }

  #hear(word: Output): void {
    this.words.push(word);
    if (word.kind === "event") this.#frameworks.get(word.session)?.hear(word.event);
    else if (word.kind === "closeScheduler") this.#frameworks.get(word.session)?.closed();
    else if (word.kind === "agent") this.#agents.get(word.session)?.hear(word.message);
    else if (word.kind === "closeAgent") this.#agents.get(word.session)?.closed();
  }
}
