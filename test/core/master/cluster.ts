/** A leading master over tables in memory, with scripted agents and frameworks, for scenarios about agents. */
import assert from "node:assert/strict";
import { seededRandom } from "../../../src/base/random.ts";
import type { Input } from "../../../src/core/master/input.ts";
import { violations } from "../../../src/core/master/invariants.ts";
import { MasterMachine } from "../../../src/core/master/machine.ts";
import type { Output } from "../../../src/core/master/output.ts";
import { type MasterSettings, defaultMasterSettings } from "../../../src/core/master/settings.ts";
import { Tables, taskIdOf } from "../../../src/core/registry/tables.ts";
import { sizeOfChange } from "../../../src/wire/registry-codec.ts";
import type { AgentRecord, TaskRecord } from "../../../src/wire/gen/mesarch/v1/registry.ts";
import type { FrameworkInfo_Capability_Type as Capability } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { Agent, type Body, type BodyOf, RESOURCES } from "./cluster-agent.ts";
import { Framework } from "./cluster-framework.ts";

export { Agent, Framework };

export class Cluster {
  readonly tables: Tables;
  readonly settings: MasterSettings;
  now = 1_000;
  revision = 100;
  generation = 1;
  machine: MasterMachine;
  /** Everything said since the last leadership began. */
  words: Output[] = [];
  sessions = 1;
  /** Recounting after each step is too slow for a herd. */
  checking = true;
  uuids = 0;

  constructor(settings: Partial<MasterSettings> = {}) {
    this.settings = { ...defaultMasterSettings, ...settings };
    this.tables = new Tables();
    this.tables.apply({ kind: "meta", id: "", record: { clusterId: "c1", generation: 1, format: 1 } });
    this.machine = this.#lead();
  }

  /** The leader is lost; the next one leads over the same registry. Streams have to be opened again. */
  failover(restored = false): void {
    const state = this.machine.state;
    const clock = state.clockAtStart + Math.floor((this.now - state.startedAt) / 1000);
    this.revision += 10;
    if (restored) this.generation += 1;
    const epoch = { generation: this.generation, revision: this.revision };
    this.tables.head = { epoch, master: "m", n: 1, ops: 0, clusterClock: clock };
    this.words = [];
    this.machine = this.#lead();
  }

  step(input: Input): void {
    const { words, undo, atoms, rest } = this.machine.step(input, this.now);
    assert.equal(undo.length, atoms.length);
    this.words.push(...words);
    if (this.checking) assert.deepEqual(violations(this.machine.state as never), [], `after ${input.kind}`);
    if (rest !== undefined) this.step(rest);
  }

  /** Lets time pass, deadline by deadline. */
  advance(ms: number): void {
    const end = this.now + ms;
    this.drain();
    for (let next = this.machine.nextDeadline(); next !== undefined && next <= end; next = this.machine.nextDeadline()) {
      this.now = Math.max(this.now, next);
      this.step({ kind: "deadline" });
    }
    this.now = end;
  }

  /** What is due now, such as the allocation. */
  drain(): void {
    for (let next = this.machine.nextDeadline(); next !== undefined && next <= this.now; next = this.machine.nextDeadline()) {
      this.step({ kind: "deadline" });
    }
  }

  /** Orders of one kind said to an agent session. */
  told<C extends Body["$case"]>(session: number, $case: C): BodyOf<C>[] {
    return this.words.flatMap((word) =>
      word.kind === "agent" && word.session === session && word.message.body?.$case === $case
        ? [word.message.body.value as BodyOf<C>]
        : [],
    );
  }

  get alarms(): string[] {
    return this.words.flatMap((word) => (word.kind === "alarm" ? [word.message] : []));
  }

  get milestones(): string[] {
    return this.words.flatMap((word) => (word.kind === "milestone" ? [word.name] : []));
  }

  task(taskId: string): TaskRecord | undefined {
    return [...this.tables.tasks.values()].find((record) => taskIdOf(record) === taskId);
  }

  /** The finished task of that id, from history. */
  past(taskId: string): TaskRecord | undefined {
    return [...this.tables.history.values()].find(({ task }) => task !== undefined && taskIdOf(task) === taskId)?.task;
  }

  agentRow(agent: Agent): AgentRecord {
    const row = this.tables.agents.get(agent.id);
    assert(row !== undefined, `no row of agent ${agent.name}`);
    return row;
  }

  /** A registered and confirmed agent. */
  agent(name = "a", resources = RESOURCES): Agent {
    const agent = new Agent(this, name, resources);
    agent.connect();
    agent.report();
    assert(agent.confirmed, `agent ${name} is not confirmed`);
    return agent;
  }

  framework(name = "f", capabilities: readonly (keyof typeof Capability)[] = ["PARTITION_AWARE"]): Framework {
    return new Framework(this, name, capabilities);
  }

  #lead(): MasterMachine {
    const leadership = {
      generation: this.generation,
      revision: this.revision,
      clusterId: "c1",
      master: "m1",
      address: "127.0.0.1:5060",
      since: this.revision,
      electedAtMs: 1_700_000_000_000 + this.now,
    };
    const random = seededRandom(this.revision);
    return new MasterMachine({ leadership, settings: this.settings, tables: this.tables, random, sizeOf: sizeOfChange }, this.now);
  }
}
