/**
 * A whole cluster in one process, moved by chance: leaders over a registry that takes its time, agents (the real
 * machine) over journals and processes, schedulers that launch, acknowledge and kill, and links that break with
 * everything in them. It checks as it goes what no fault may ever bring about.
 */
import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../../src/base/random.ts";
import type { Input } from "../../../src/core/master/input.ts";
import { violations } from "../../../src/core/master/invariants.ts";
import { MasterMachine } from "../../../src/core/master/machine.ts";
import { type Output, isUnfenced } from "../../../src/core/master/output.ts";
import { type MasterSettings, defaultMasterSettings } from "../../../src/core/master/settings.ts";
import { Pipeline } from "../../../src/core/pipeline.ts";
import { type Change, rowKey } from "../../../src/core/registry/change.ts";
import { Tables } from "../../../src/core/registry/tables.ts";
import { sizeOfChange } from "../../../src/wire/registry-codec.ts";
import { Host } from "./world-host.ts";
import { Scheduler } from "./world-scheduler.ts";

export class World {
  readonly random: Random;
  readonly settings: MasterSettings = { ...defaultMasterSettings, agentPingTimeoutMs: 20_000, agentPingIntervalMs: 4_000 };
  now = 1_000;
  revision = 100;
  machine!: MasterMachine;
  /** What is durable, by key. */
  readonly rows = new Map<string, Change>();
  readonly hosts: Host[] = [];
  readonly schedulers: Scheduler[] = [];
  sessions = 0;
  full = false;
  alarms: string[] = [];
  #clock = 0;
  #machines = 0;
  #pipeline!: Pipeline<Change, Output>;

  constructor(seed: number, hosts: number, schedulers: number) {
    this.random = seededRandom(seed);
    this.#write({ kind: "meta", id: "", record: { clusterId: "c1", generation: 1, format: 1 } });
    this.#lead();
    for (let i = 0; i < hosts; i++) this.hosts.push(new Host(this, `h${i}`));
    for (let i = 0; i < schedulers; i++) this.schedulers.push(new Scheduler(this, `s${i}`));
  }

  chance(probability: number): boolean {
    return this.random.uniform() < probability;
  }

  pick<T>(all: readonly T[]): T | undefined {
    return all[Math.floor(this.random.uniform() * all.length)];
  }

  /** An input of the present leader. */
  step(input: Input): void {
    const { atoms, words, rest } = this.machine.step(input, this.now);
    const broken = violations(this.machine.state as never);
    assert.deepEqual(broken, [], `after ${input.kind}`);
    assert(!this.full || atoms.length === 0, `${input.kind} writes to a full store`);
    for (const word of words) if (isUnfenced(word)) this.#say(word);
    this.#pipeline.push(atoms, words.filter((word) => !isUnfenced(word)));
    if (rest !== undefined) this.step(rest);
  }

  /** The registry answers: what waited may be said. */
  commit(): void {
    const batch = this.#pipeline.next();
    if (batch === undefined) return;
    this.#land(batch.writes);
    for (const word of this.#pipeline.settle()) this.#say(word);
  }

  commitAll(): void {
    for (let depth = this.#pipeline.depth; depth > 0; depth = this.#pipeline.depth) this.commit();
  }

  /** The leader dies. What it had not committed never was; what was in flight may have landed without a word. */
  failover(): void {
    const batch = this.#pipeline.next();
    if (batch !== undefined && this.chance(0.5)) this.#land(batch.writes);
    this.revision += 10;
    this.full = false;
    this.#startOver();
  }

  /** The store takes no writes for a while, or takes them again: the leader starts over from what is durable (3.5). */
  setFull(full: boolean): void {
    if (this.full === full) return;
    this.full = full;
    this.#startOver();
    if (full) this.step({ kind: "readOnly", on: true, reason: "full" });
  }

  /** The clock moves; everybody's deadlines are seen to. */
  pass(ms: number): void {
    this.now += ms;
    for (let next = this.machine.nextDeadline(); next !== undefined && next <= this.now; next = this.machine.nextDeadline()) {
      this.step({ kind: "deadline" });
    }
    for (const host of this.hosts) host.pass();
  }

  #startOver(): void {
    for (const host of this.hosts) host.cut();
    for (const scheduler of this.schedulers) scheduler.cut();
    this.#lead();
  }

  #lead(): void {
    const tables = new Tables();
    for (const change of this.rows.values()) tables.apply(change);
    const epoch = { generation: 1, revision: this.revision };
    tables.head = { epoch, master: "m", n: 1, ops: 0, clusterClock: this.#clock };
    const leadership = { ...epoch, clusterId: "c1", master: "m", address: "m:1", since: 0, electedAtMs: 1.7e12 + this.now };
    const random = seededRandom(++this.#machines);
    this.machine = new MasterMachine({ leadership, settings: this.settings, tables, random, sizeOf: sizeOfChange }, this.now);
    this.#pipeline = new Pipeline({ rows: 3, bytes: 1 << 20 }, rowKey);
  }

  #land(writes: readonly Change[]): void {
    for (const change of writes) this.#write(change);
    const { clockAtStart, startedAt } = this.machine.state;
    this.#clock = clockAtStart + Math.floor((this.now - startedAt) / 1000);
  }

  #write(change: Change): void {
    if (change.record === undefined) this.rows.delete(rowKey(change));
    else this.rows.set(rowKey(change), change);
  }

  #say(word: Output): void {
    if (word.kind === "alarm") this.alarms.push(word.message);
    else if (word.kind === "agent" || word.kind === "closeAgent") for (const host of this.hosts) host.hear(word);
    else for (const scheduler of this.schedulers) scheduler.hear(word);
  }
}
