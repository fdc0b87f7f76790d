/**
 * Correct histories at random: a cluster that does one thing at a time, as it should be done. What a checker rejects of
 * these it rejects wrongly. And small lies about them.
 */
import type { HistoryEvent } from "../../chaos/history/event.ts";
import type { Random } from "../../src/base/random.ts";
import { Story, TOTAL } from "./history-builder.ts";

const AGENTS = ["s1", "s2"];
const FRAMEWORKS = ["f1", "f2"];
const BEAT_MS = 400;
const RESOURCES = { cpus: 500, mem: 100_000 };
const TASKS_PER_AGENT = 6;

interface Task {
  readonly id: string;
  readonly agent: string;
  readonly framework: string;
  stage: "launched" | "running";
}

class Cluster {
  readonly story = new Story();
  readonly #random: Random;
  #tasks: Task[] = [];
  #serial = 0;
  #leaders = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#lead();
    for (const agent of AGENTS) this.story.joins(agent);
    for (const framework of FRAMEWORKS) this.story.subscribes(framework, { partitionAware: framework === "f1", failoverTimeoutMs: 40_000 });
    this.story.phase("quiet");
  }

  /** One of the things that can happen now. */
  step(): void {
    const running = this.#tasks.filter(({ stage }) => stage === "running");
    const launched = this.#tasks.filter(({ stage }) => stage === "launched");
    const steps: (() => void)[] = [() => this.#launch(), () => this.#launch(), () => this.#refuse(), () => this.#failOver(), () => this.#read(), () => this.#break()];
    if (launched.length > 0) {
      const task = this.#pick(launched);
      steps.push(() => this.#run(task), () => this.#run(task), () => this.#run(task), () => this.#killBeforeStart(task));
    }
    if (running.length > 0) {
      const task = this.#pick(running);
      steps.push(() => this.#finish(task), () => this.#kill(task), () => this.#tellAgain(task), () => this.#reconcile(task), () => this.#meddle(task), () => this.#restartAgent(task.agent), () => this.#loseContact(task.agent));
    }
    this.#pick(steps)();
    this.#pass(BEAT_MS);
  }

  /** Everything is at rest, and is looked at. */
  end(): void {
    for (const task of this.#tasks.filter(({ stage }) => stage === "launched")) this.#run(task);
    this.story.phase("healed");
    this.#pass(12_000);
    this.story.phase("settled");
    this.#pass(3_000);
    for (const agent of AGENTS) this.#books(agent);
    this.story.read().phase("final");
  }

  #lead(): void {
    this.#leaders += 1;
    this.story.leads(`m${1 + (this.#leaders % 3)}`, `1-${5 + 1_000 * this.#leaders}`);
  }

  #launch(): void {
    const agent = this.#pick(AGENTS);
    if (this.#tasks.filter((task) => task.agent === agent).length >= TASKS_PER_AGENT) return;
    const task: Task = { id: this.#newId(), agent, framework: this.#pick(FRAMEWORKS), stage: "launched" };
    const options = { ...task, resources: RESOURCES };
    this.story.offer(`o-${task.id}`, { ...options, resources: TOTAL }).launch(task.id, options).staged(task.id);
    if (this.#random.uniform() < 0.8) this.story.ok();
    else this.story.unknown();
    this.story.ordered("launch", task.id);
    this.#tasks.push(task);
  }

  #refuse(): void {
    this.story.launch(this.#newId(), { offer: "o-dead", framework: "f1" });
    if (this.#random.uniform() < 0.5) this.story.fail();
    else this.story.toldByMaster(`t${this.#serial}`, "TASK_DROPPED", "REASON_INVALID_OFFERS").ok();
  }

  #run(task: Task): void {
    this.story.witnessStarts(task.id);
    if (this.#random.uniform() < 0.5) this.story.update(task.id, "TASK_STARTING");
    this.story.update(task.id, "TASK_RUNNING");
    task.stage = "running";
  }

  #finish(task: Task): void {
    this.story.finished(task.id);
    this.#forget(task);
  }

  #kill(task: Task): void {
    this.story.killed(task.id);
    this.#forget(task);
  }

  #killBeforeStart(task: Task): void {
    this.story.kill(task.id).row(task.id, { killed: true }).ok().ordered("kill", task.id).ended(task.id, "TASK_KILLED");
    this.#forget(task);
  }

  #tellAgain(task: Task): void {
    this.story.told(task.id).acknowledge(task.id, { uuid: "u-wrong" }).ok();
  }

  #reconcile({ id, framework }: Task): void {
    this.story.call("reconcile", `framework/${framework}`, { framework, tasks: [id] });
    this.story.toldByMaster(id, this.story.tasks.get(id)!.row!.state, "REASON_RECONCILIATION").ok();
  }

  /** The other framework asks for its end, and hears of nothing. */
  #meddle({ id, framework: owner }: Task): void {
    const framework = owner === "f1" ? "f2" : "f1";
    const state = framework === "f2" ? "TASK_LOST" : "TASK_UNKNOWN";
    this.story.kill(id, 0, framework).told(id, { framework, uuid: "", source: "master", state, reason: "REASON_RECONCILIATION" }).ok();
    this.story.acknowledge(id, { framework }).ok();
  }

  #failOver(): void {
    this.story.fault("killMaster", "master/m1");
    this.#pass(BEAT_MS);
    this.#lead();
    for (const agent of AGENTS) this.story.obeys(agent);
    for (const framework of FRAMEWORKS) this.story.disconnected(framework).framework(framework, "subscribed").subscribed(framework);
    this.story.observe("fenced", "master/m1", { master: "m1" }).over("killMaster");
  }

  #restartAgent(agent: string): void {
    this.story.fault("killAgent", `agent/h-${agent}`);
    this.#pass(2 * BEAT_MS);
    this.story.starts(agent).obeys(agent).over("killAgent");
  }

  /** Its tasks run on, and their frameworks hear what a master makes of it. */
  #loseContact(agent: string): void {
    this.story.fault("cut", `link/agent/h-${agent}`);
    this.#pass(80_000);
    const theirs = this.#tasks.filter((task) => task.agent === agent && task.stage === "running");
    const tell = (state: "TASK_UNREACHABLE" | "TASK_RUNNING"): void => {
      for (const { id, framework } of theirs) this.story.toldByMaster(id, state === "TASK_UNREACHABLE" && framework === "f2" ? "TASK_LOST" : state);
    };
    this.story.agent(agent, "unreachable");
    tell("TASK_UNREACHABLE");
    this.#pass(BEAT_MS);
    this.story.agent(agent, "in").obeys(agent);
    tell("TASK_RUNNING");
    this.story.over("cut");
  }

  #read(): void {
    if (this.#random.uniform() < 0.6) this.story.read();
    else this.story.read({ stale: true, master: "m9" }, { revision: this.story.revision });
  }

  #break(): void {
    this.story.fault("freeze", "etcd/e2");
    this.#pass(2 * BEAT_MS);
    this.story.over("freeze");
  }

  #books(agent: string): void {
    const count = this.#tasks.filter((task) => task.agent === agent).length;
    const [used, free] = [{ cpus: count * RESOURCES.cpus, mem: count * RESOURCES.mem }, { cpus: TOTAL["cpus"]! - count * RESOURCES.cpus, mem: TOTAL["mem"]! - count * RESOURCES.mem }];
    this.story.observe("books", "operator/m1", { agent, total: TOTAL, used, offered: {}, free }, { revision: this.story.revision });
  }

  #pass(ms: number): void {
    const running = this.#tasks.filter(({ stage }) => stage === "running");
    for (let passed = 0; passed < ms; passed += BEAT_MS) {
      this.story.after(BEAT_MS - running.length);
      for (const { id } of running) this.story.observe("witnessBeat", `witness/${id}`, { task: id, nonce: this.story.tasks.get(id)!.nonce });
    }
  }

  #forget(task: Task): void {
    this.#tasks = this.#tasks.filter((other) => other !== task);
  }

  #newId(): string {
    this.#serial += 1;
    return `t${this.#serial}`;
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random.uniform() * choices.length)]!;
  }
}

export function randomHistory(random: Random, steps: number): HistoryEvent[] {
  const cluster = new Cluster(random);
  for (let i = 0; i < steps; i++) cluster.step();
  cluster.end();
  return cluster.story.events;
}

export type Mutation = "drop" | "duplicate" | "swap" | "epoch";

/** The history with one event missing, told twice, at a later event's place, or of another epoch. */
export function mutated(events: readonly HistoryEvent[], kind: Mutation, random: Random): { readonly events: HistoryEvent[]; readonly what: string } {
  const below = (limit: number): number => Math.floor(random.uniform() * limit);
  // Of many beats one more or less is nothing.
  const candidates = events.flatMap(({ op, epoch }, index) => (op === "witnessBeat" || (kind === "epoch" && epoch === undefined) ? [] : [index]));
  const index = candidates[below(candidates.length)]!;
  const event = events[index]!;
  const changed = [...events];
  if (kind === "drop") changed.splice(index, 1);
  if (kind === "duplicate") changed.splice(index + 1, 0, event);
  if (kind === "epoch") changed[index] = { ...event, epoch: event.epoch === "1-1005" ? "1-99005" : "1-1005" };
  if (kind === "swap") {
    const other = Math.min(events.length - 1, index + 1 + below(8));
    changed[index] = { ...events[other]!, t: event.t };
    changed[other] = { ...event, t: events[other]!.t };
  }
  return { events: changed.map((each, place) => ({ ...each, seq: place + 1 })), what: `${kind} ${event.op} (${event.kind})` };
}
