/**
 * Histories for tests of checkers, told like a story: `calm().running("t1").after(500).exits("t1")`. Whatever a step does
 * not say is as it would be in a good run; each step takes a millisecond.
 */
import type {
  AgentStanding,
  Amounts,
  CallName,
  CallValue,
  EventOf,
  FrameworkStanding,
  HistoryEvent,
  ObservationName,
  RowChange,
} from "../../chaos/history/event.ts";
import { RegistryLog } from "../../chaos/checkers/registry-log.ts";
import type { TaskStateName } from "../../src/sdk/index.ts";

type TaskRow = NonNullable<Extract<RowChange, { table: "task" }>["task"]>;
type Value<K extends ObservationName> = EventOf<K>["value"];

/** Where and when an event is to stand, if not where the story is. */
export interface At {
  readonly actor?: string;
  readonly epoch?: string;
  readonly revision?: number;
}

interface LaunchOptions {
  readonly framework?: string;
  readonly agent?: string;
  readonly offer?: string;
  readonly resources?: Amounts;
}

interface TaskFacts {
  framework: string;
  agent: string;
  resources: Amounts;
  row: TaskRow | undefined;
  nonce: string;
  uuid: string;
  state: TaskStateName;
  updates: number;
}

export const TOTAL: Amounts = { cpus: 4_000, mem: 4_000_000 };
export const SMALL: Amounts = { cpus: 1_000, mem: 100_000 };

/** A leader, an agent and a framework. */
export function calm(): Story {
  return new Story().leads("m1", "1-5").joins("s1").subscribes("f1");
}

export class Story {
  readonly events: HistoryEvent[] = [];
  readonly tasks = new Map<string, TaskFacts>();
  readonly #totals = new Map<string, Amounts>();
  readonly #starts = new Map<string, number>();
  #t = 0;
  #calls = 0;
  #serial = 0;
  #open: { readonly actor: string; readonly op: CallName; readonly call: number; readonly value: object } | undefined;
  #epoch = "";
  #master = "";
  #n = 0;
  revision = 10;

  get now(): number {
    return this.#t;
  }

  get epoch(): string {
    return this.#epoch;
  }

  after(ms: number): this {
    this.#t += ms;
    return this;
  }

  observe<K extends ObservationName>(op: K, actor: string, value: Value<K>, at: At = {}): this {
    return this.#write({ kind: "observe", op, actor, value, ...at });
  }

  // Calls: sent by one step, answered by another.

  call<K extends CallName>(op: K, actor: string, value: CallValue<K>): this {
    this.#calls += 1;
    this.#open = { actor, op, call: this.#calls, value };
    return this.#write({ kind: "invoke", ...this.#open });
  }

  ok(at: At = {}): this {
    return this.#write({ kind: "ok", ...this.#open, epoch: this.#epoch, revision: this.revision, ...at });
  }

  fail(error = "400"): this {
    return this.#write({ kind: "fail", ...this.#open, error });
  }

  unknown(): this {
    return this.#write({ kind: "unknown", ...this.#open });
  }

  launch(task: string, { framework = "f1", agent = "s1", offer = `o-${task}`, resources = SMALL }: LaunchOptions = {}): this {
    this.#facts(task, { framework, agent, resources });
    return this.call("launch", `framework/${framework}`, { framework, offers: [offer], agent, tasks: [{ task, resources }] });
  }

  /** By its own framework, unless said otherwise. */
  kill(task: string, graceMs = 1_000, framework = this.#facts(task).framework): this {
    return this.call("kill", `framework/${framework}`, { framework, task, graceMs });
  }

  acknowledge(task: string, wrong: Partial<Pick<CallValue<"acknowledge">, "uuid" | "framework" | "agent">> = {}): this {
    const { uuid, framework, agent } = { ...this.#facts(task), ...wrong };
    return this.call("acknowledge", `framework/${framework}`, { framework, agent, task, uuid });
  }

  reconcile(framework: string, ...tasks: readonly string[]): this {
    return this.call("reconcile", `framework/${framework}`, { framework, tasks });
  }

  decline(offer: string, framework = "f1"): this {
    return this.call("decline", `framework/${framework}`, { framework, offers: [offer] });
  }

  teardown(framework = "f1"): this {
    return this.call("teardown", `framework/${framework}`, { framework });
  }

  // The registry.

  leads(master: string, epoch: string): this {
    this.#master = master;
    this.#epoch = epoch;
    this.#n = 0;
    return this.observe("leads", `master/${master}`, { master }, { epoch });
  }

  /** The next leader, and every agent obeys it. */
  failsOver(master: string, epoch: string): this {
    this.leads(master, epoch);
    for (const agent of this.#totals.keys()) this.obeys(agent);
    return this;
  }

  commit(...rows: readonly RowChange[]): this {
    this.revision += 1;
    this.#n += 1;
    return this.observe("commit", "registry", { master: this.#master, n: this.#n, ops: rows.length, rows }, { epoch: this.#epoch, revision: this.revision });
  }

  /** The store is set back to a revision, and with it what the registry knows. */
  restored(to: number): this {
    this.revision += 1;
    this.observe("restored", "registry", { to }, { revision: this.revision });
    const { launches } = this.#log();
    for (const [task, facts] of this.tasks) facts.row = launches.get(`L-${task}`)?.versions.at(-1)!.row;
    return this;
  }

  /** The task's row with these fields, and the rest as it was. */
  row(task: string, fields: Partial<TaskRow>): this {
    const facts = this.#facts(task);
    const { framework, agent, resources } = facts;
    const blank: TaskRow = { task, framework, agent, state: "TASK_STAGING", latest: "TASK_STAGING", seq: 0, uuid: "", killed: false, settled: false, resources };
    facts.row = { ...(facts.row ?? blank), ...(fields.state !== undefined && { latest: fields.state }), ...fields };
    return this.commit(this.rowOf(task));
  }

  rowOf(task: string): RowChange {
    return { table: "task", id: `L-${task}`, task: this.#facts(task).row! };
  }

  staged(task: string): this {
    return this.row(task, {});
  }

  /** Row gone, history written. */
  past(task: string): this {
    const { row, framework } = this.#facts(task);
    this.#facts(task).row = undefined;
    const entry = { launch: `L-${task}`, task, framework, state: row!.state };
    return this.commit({ table: "task", id: `L-${task}` }, { table: "history", id: `${framework}/${task}`, task: entry });
  }

  agent(agent: string, standing: AgentStanding, total = this.#totals.get(agent) ?? TOTAL): this {
    this.#totals.set(agent, total);
    return this.commit({ table: "agent", id: agent, standing, term: 1, total });
  }

  framework(framework: string, standing: FrameworkStanding): this {
    return this.commit({ table: "framework", id: framework, standing });
  }

  // Agents and frameworks come and go.

  starts(agent: string): this {
    const starts = (this.#starts.get(agent) ?? 0) + 1;
    this.#starts.set(agent, starts);
    return this.observe("agentStarted", `agent/h-${agent}`, { agent, starts });
  }

  obeys(agent: string, epoch = this.#epoch): this {
    return this.observe("agentObeys", `agent/h-${agent}`, { agent }, { epoch });
  }

  joins(agent: string, total = TOTAL): this {
    return this.starts(agent).obeys(agent).agent(agent, "in", total);
  }

  subscribes(framework = "f1", { failoverTimeoutMs = 600_000, partitionAware = true } = {}): this {
    this.call("subscribe", `framework/${framework}`, { framework, failoverTimeoutMs, partitionAware });
    return this.framework(framework, "subscribed").ok().subscribed(framework);
  }

  subscribed(framework = "f1"): this {
    return this.observe("subscribed", `framework/${framework}`, { framework }, { epoch: this.#epoch, revision: this.revision });
  }

  disconnected(framework = "f1"): this {
    return this.observe("disconnected", `framework/${framework}`, { framework });
  }

  offer(offer: string, { framework = "f1", agent = "s1", resources = TOTAL } = {}): this {
    return this.observe("offer", `framework/${framework}`, { framework, offer, agent, role: "*", resources }, { epoch: this.#epoch });
  }

  rescind(offer: string, framework = "f1"): this {
    return this.observe("rescind", `framework/${framework}`, { framework, offer });
  }

  // A task's way.

  ordered(order: "launch" | "kill" | "cancel", task: string, epoch = this.#epoch): this {
    const { agent } = this.#facts(task);
    return this.observe("agentOrdered", `agent/h-${agent}`, { agent, order, launch: `L-${task}` }, { epoch });
  }

  witnessStarts(task: string, launch = `L-${task}`): this {
    this.#serial += 1;
    const facts = this.#facts(task);
    facts.nonce = `n${this.#serial}`;
    return this.observe("witnessStart", `witness/${task}`, { task, launch, agent: facts.agent, pid: 1000 + this.#serial, nonce: facts.nonce });
  }

  beats(task: string, forMs: number, everyMs = 200): this {
    for (let ms = 0; ms < forMs; ms += everyMs) {
      this.#t += everyMs - 1;
      this.observe("witnessBeat", `witness/${task}`, { task, nonce: this.#facts(task).nonce });
    }
    return this;
  }

  signal(task: string, signal = "TERM"): this {
    return this.observe("witnessSignal", `witness/${task}`, { task, nonce: this.#facts(task).nonce, signal });
  }

  exits(task: string, status = 0): this {
    return this.observe("witnessExit", `witness/${task}`, { task, nonce: this.#facts(task).nonce, status });
  }

  journals(task: string, state: TaskStateName): this {
    const facts = this.#facts(task);
    facts.updates += 1;
    facts.uuid = `u-${task}-${facts.updates}`;
    facts.state = state;
    return this.observe("agentUpdate", `agent/h-${facts.agent}`, { agent: facts.agent, launch: `L-${task}`, task, state, uuid: facts.uuid });
  }

  written(task: string): this {
    const { state, uuid, updates } = this.#facts(task);
    return this.row(task, { state, uuid, seq: updates });
  }

  /** Its framework is told what the agent journaled last. */
  told(task: string, value: Partial<Value<"update">> = {}, at: At = {}): this {
    const { framework, agent, state, uuid } = this.#facts(task);
    const update = { framework, task, agent, state, uuid, source: "agent" as const, reason: "", ...value };
    return this.observe("update", `framework/${update.framework}`, update, { epoch: this.#epoch, revision: this.revision, ...at });
  }

  /** Its framework is told what a master concluded. */
  toldByMaster(task: string, state: TaskStateName, reason = "", at: At = {}): this {
    return this.told(task, { state, uuid: "", source: "master", reason }, at);
  }

  retires(task: string, uuid = this.#facts(task).uuid): this {
    const { agent } = this.#facts(task);
    return this.observe("agentAcknowledged", `agent/h-${agent}`, { agent, launch: `L-${task}`, uuid });
  }

  forgets(task: string): this {
    const { agent } = this.#facts(task);
    return this.observe("agentForgot", `agent/h-${agent}`, { agent, launch: `L-${task}` });
  }

  /** An update from the journal to its retirement. */
  update(task: string, state: TaskStateName): this {
    return this.journals(task, state).written(task).told(task).acknowledge(task).ok().retires(task);
  }

  /** From the offer to STAGING, acknowledged. */
  launched(task: string, options: Omit<LaunchOptions, "offer"> = {}): this {
    return this.offer(`o-${task}`, options).launch(task, options).staged(task).ok().ordered("launch", task);
  }

  running(task: string, options: Omit<LaunchOptions, "offer"> = {}): this {
    return this.launched(task, options).witnessStarts(task).update(task, "TASK_RUNNING");
  }

  /** What follows an exit. */
  ended(task: string, state: TaskStateName = "TASK_FINISHED"): this {
    return this.journals(task, state).written(task).told(task).acknowledge(task).ok().forgets(task).past(task);
  }

  finished(task: string): this {
    return this.exits(task).ended(task);
  }

  killed(task: string): this {
    this.kill(task).row(task, { killed: true }).ok().ordered("kill", task);
    return this.signal(task).exits(task, 143).ended(task, "TASK_KILLED");
  }

  // Beside all that.

  fault(name: string, ...targets: readonly string[]): this {
    return this.#write({ kind: "fault", op: "fault", actor: "nemesis", value: { name, targets, on: true } });
  }

  over(name: string, ...targets: readonly string[]): this {
    return this.#write({ kind: "fault", op: "fault", actor: "nemesis", value: { name, targets, on: false } });
  }

  phase(name: Value<"phase">["name"]): this {
    return this.observe("phase", "nemesis", { name });
  }

  /** An operator reads all tasks, as they are unless said otherwise. */
  read(value: Partial<Value<"read">> = {}, at: At = {}): this {
    const startedAt = this.#t;
    this.#t += 1;
    const tasks = this.shown(at.revision ?? this.revision);
    const { master = this.#master } = value;
    return this.observe("read", `operator/${master}`, { master, stale: false, startedAt, tasks, ...value }, { epoch: this.#epoch, revision: this.revision, ...at });
  }

  /** All tasks with a row, as the registry has them at a revision. */
  shown(revision = this.revision): Record<string, TaskStateName> {
    const log = this.#log();
    const launches = [...log.launches.values()].filter((launch) => launch.versions.findLast((version) => version.revision <= revision)?.row !== undefined);
    return Object.fromEntries(launches.map((launch) => [launch.task, log.shown(launch, revision)!]));
  }

  #log(): RegistryLog {
    return new RegistryLog(
      this.events.filter((event) => event.op === "commit"),
      this.events.filter((event) => event.op === "restored"),
    );
  }

  #facts(task: string, known: Pick<TaskFacts, "framework" | "agent" | "resources"> = { framework: "f1", agent: "s1", resources: SMALL }): TaskFacts {
    let facts = this.tasks.get(task);
    if (facts === undefined) {
      facts = { ...known, row: undefined, nonce: "", uuid: "", state: "TASK_STAGING", updates: 0 };
      this.tasks.set(task, facts);
    }
    return facts;
  }

  #write(event: object): this {
    this.#t += 1;
    this.events.push({ ...event, seq: this.events.length + 1, t: this.#t } as HistoryEvent);
    return this;
  }
}
