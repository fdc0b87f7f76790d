/**
 * Thousands of agents in one process, for measuring masters: the real machine and the real protocol, with a journal that
 * forgets and tasks that are timers. Many agents share one connection, so that neither sockets nor TLS are measured.
 *
 *     node scripts/bench/simulated-agents.ts --masters 127.0.0.1:5050,127.0.0.1:5150 --count 5000
 *
 * A task runs until it is killed; the command `sleep 2.5` ends by itself after that time, with status 0. Prints one JSON
 * line a second.
 */
import { parseArgs } from "node:util";
import { MasterLinks } from "../../src/agent/links.ts";
import { systemRandom } from "../../src/async/system-random.ts";
import { systemClock } from "../../src/async/clock.ts";
import { Timer } from "../../src/async/timer.ts";
import { type Epoch, NO_EPOCH, epochText } from "../../src/base/epoch.ts";
import type { Input } from "../../src/core/agent/input.ts";
import { AgentMachine } from "../../src/core/agent/machine.ts";
import type { Output } from "../../src/core/agent/output.ts";
import { defaultAgentTimings } from "../../src/core/agent/settings.ts";
import { Deadlines } from "../../src/core/deadlines.ts";
import { GrpcMasterDialer } from "../../src/grpc/agent-link.ts";
import { Resources } from "../../src/model/resources.ts";
import type { RunState } from "../../src/ports/containers.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import type { TaskAccepted } from "../../src/wire/gen/mesarch/v1/checkpoint.ts";

export interface SimulationOptions {
  /** host:port of every master. */
  readonly masters: readonly string[];
  readonly count: number;
  /** Agents on one connection to each master. Default 1000. */
  readonly agentsPerConnection?: number;
  /** Of each agent. Default `cpus:8;mem:16384;disk:65536;ports:[31000-32000]`. */
  readonly resources?: string;
  /** From launch to running, in milliseconds. Default 5. */
  readonly startMs?: number;
  /** In front of the number of each agent: its host name. Default "sim". */
  readonly name?: string;
}

/** Milliseconds of the process's monotonic clock at which an epoch was first heard of, and last confirmed. */
export interface EpochTimes {
  firstLead: number;
  lastLead: number;
  lastConfirm: number;
  confirmed: number;
}

/** What all agents of the process share: one timer, and the counts. */
class Hive {
  readonly resources: Resources;
  readonly startMs: number;
  readonly name: string;
  readonly bootId = systemRandom.hex(16);
  readonly counts = { links: 0, confirmed: 0, launches: 0, running: 0, updates: 0, forgotten: 0 };
  readonly epochs = new Map<string, EpochTimes>();
  readonly #deadlines = new Deadlines();
  readonly #due = new Map<string, () => void>();
  readonly #timer = new Timer(systemClock, () => this.#tick());

  constructor(options: SimulationOptions) {
    const parsed = Resources.parse(options.resources ?? "cpus:8;mem:16384;disk:65536;ports:[31000-32000]");
    if (!parsed.ok) throw new Error(parsed.error);
    this.resources = parsed.value;
    this.startMs = options.startMs ?? 5;
    this.name = options.name ?? "sim";
  }

  /** One callback a key, replaced by a later call; undefined takes it back. */
  at(key: string, time: number | undefined, callback: () => void): void {
    if (time === undefined) {
      this.#deadlines.clear(key);
      this.#due.delete(key);
    } else {
      this.#deadlines.set(key, time);
      this.#due.set(key, callback);
    }
    this.#timer.armAt(this.#deadlines.next());
  }

  led(epoch: string, confirmed: boolean): void {
    const now = performance.now();
    const times = this.epochs.get(epoch) ?? { firstLead: now, lastLead: now, lastConfirm: 0, confirmed: 0 };
    this.epochs.set(epoch, times);
    if (!confirmed) times.lastLead = now;
    else {
      times.lastConfirm = now;
      times.confirmed += 1;
    }
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  #tick(): void {
    const now = performance.now();
    for (let key = this.#deadlines.takeDue(now); key !== undefined; key = this.#deadlines.takeDue(now)) {
      const callback = this.#due.get(key);
      this.#due.delete(key);
      callback?.();
    }
    this.#timer.armAt(this.#deadlines.next());
  }
}

/** What came in is handled at once: there is no disk to wait for. */
class SimulatedAgent {
  readonly #hive: Hive;
  readonly #key: string;
  readonly #machine: AgentMachine;
  readonly #runs = new Map<string, RunState>();
  readonly links: MasterLinks;
  /** Of its own: adding a listener to a signal takes as long as it has listeners. */
  readonly stop = new AbortController();

  constructor(hive: Hive, number: number, masters: readonly string[], dialer: GrpcMasterDialer, log: ReturnType<typeof createLogger>) {
    this.#hive = hive;
    this.#key = `a${number}`;
    const { resources } = hive;
    this.#machine = new AgentMachine({
      settings: {
        ...defaultAgentTimings,
        info: { hostname: `${hive.name}-${number}`, port: 5051, resources: resources.toMesos(), attributes: [] },
        resources,
        address: "127.0.0.1:0",
        ip: "127.0.0.1",
        bootId: hive.bootId,
        incarnation: { starts: 1, nonce: systemRandom.hex(8) },
      },
      random: systemRandom,
      epoch: NO_EPOCH,
      records: [],
    });
    const submit = (input: Input): boolean => {
      this.step(input);
      return true;
    };
    this.links = new MasterLinks({ dialer, masters, submit, deliver: submit, clock: systemClock, random: systemRandom, log });
    this.step({ kind: "started", runs: new Map() });
  }

  step(input: Input): void {
    this.#count(input);
    const now = performance.now();
    const { outputs } = this.#machine.step(input, now, Date.now());
    this.#hive.at(this.#key, this.#machine.nextDeadline(), () => this.step({ kind: "deadline" }));
    for (const output of outputs) this.#do(output);
  }

  #do(output: Output): void {
    switch (output.kind) {
      case "say":
        if (output.message.body?.$case === "update") this.#hive.counts.updates += 1;
        return this.links.send(output.link, output.message);
      case "closeLink":
        return this.links.close(output.link, output.reason);
      case "start":
        return this.#start(output.task);
      case "cancel": {
        const won = (this.#runs.get(output.launchId) ?? { kind: "absent" }).kind === "absent";
        return queueMicrotask(() => this.step({ kind: "cancelled", launchId: output.launchId, won }));
      }
      case "kill":
        return this.#become(output.launchId, performance.now(), { kind: "exited", status: 143, killed: true, endedAtMs: Date.now() });
      case "collect":
        this.#hive.counts.forgotten += 1;
        this.#runs.delete(output.launchId);
        return;
    }
  }

  #start({ launchId, task }: TaskAccepted): void {
    const { counts, startMs } = this.#hive;
    counts.launches += 1;
    this.#runs.set(launchId, { kind: "starting" });
    const runningAt = performance.now() + startMs;
    this.#become(launchId, runningAt, { kind: "running", pid: 1, monitored: true }, () => {
      const seconds = /^\s*sleep\s+(\d+(?:\.\d+)?)\s*$/.exec(task?.command?.value ?? "")?.[1];
      if (seconds === undefined) return;
      this.#become(launchId, runningAt + 1000 * Number(seconds), { kind: "exited", status: 0, killed: false, endedAtMs: Date.now() });
    });
  }

  /** The run is in `state` from `time` on, unless it has ended before. */
  #become(launchId: string, time: number, state: RunState, then?: () => void): void {
    this.#hive.at(launchId, time, () => {
      const before = this.#runs.get(launchId)?.kind;
      if (before === undefined || before === "exited") return;
      if (state.kind === "running") this.#hive.counts.running += 1;
      else if (before === "running") this.#hive.counts.running -= 1;
      this.#runs.set(launchId, state);
      this.step({ kind: "runChanged", launchId, state });
      then?.();
    });
  }

  #count(input: Input): void {
    const { counts } = this.#hive;
    if (input.kind === "linkOpened") counts.links += 1;
    else if (input.kind === "linkClosed") counts.links -= 1;
    else if (input.kind === "fromMaster") {
      for (const { body } of input.batch.messages) {
        if (body?.$case !== "lead" && body?.$case !== "confirm") continue;
        this.#hive.led(epochText(input.batch.epoch ?? NO_EPOCH), body.$case === "confirm");
      }
    }
  }

  get confirmed(): boolean {
    return this.#machine.state.leader?.confirmed === true;
  }

  /** Empty before it was registered. */
  get id(): string {
    return this.#machine.state.identity.agentId;
  }

  get epoch(): Epoch {
    return this.#machine.state.epoch;
  }
}

/** Starts that many agents; they go on until disposed. */
export class SimulatedAgents implements AsyncDisposable {
  readonly #hive: Hive;
  readonly #agents: SimulatedAgent[] = [];
  readonly #dialers: GrpcMasterDialer[] = [];
  readonly #running: Promise<void>[] = [];

  constructor(options: SimulationOptions) {
    this.#hive = new Hive(options);
    const log = createLogger({ service: "mesarch-agent", role: "agent", name: "simulated", level: "silent" });
    const perConnection = options.agentsPerConnection ?? 1000;
    for (let i = 0; i < options.count; i += 1) {
      if (i % perConnection === 0) this.#dialers.push(new GrpcMasterDialer({ shared: true }));
      const agent = new SimulatedAgent(this.#hive, i, options.masters, this.#dialers.at(-1)!, log);
      this.#agents.push(agent);
      this.#running.push(agent.links.run(agent.stop.signal));
    }
  }

  get counts(): Readonly<Hive["counts"]> {
    let confirmed = 0;
    for (const agent of this.#agents) if (agent.confirmed) confirmed += 1;
    return { ...this.#hive.counts, confirmed };
  }

  /** Each with the id that it was given, and the newest epoch that it obeyed. */
  get agents(): readonly { readonly id: string; readonly epoch: Epoch }[] {
    return this.#agents;
  }

  /** By epoch text, oldest first. */
  get epochs(): ReadonlyMap<string, Readonly<EpochTimes>> {
    return this.#hive.epochs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { stop } of this.#agents) stop.abort();
    await Promise.all(this.#running);
    for (const dialer of this.#dialers) dialer[Symbol.dispose]();
    this.#hive[Symbol.dispose]();
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      masters: { type: "string" },
      count: { type: "string", default: "1000" },
      resources: { type: "string" },
      "agents-per-connection": { type: "string", default: "1000" },
      "start-ms": { type: "string", default: "5" },
      name: { type: "string", default: "sim" },
    },
  });
  const simulated = new SimulatedAgents({
    masters: (values.masters ?? "127.0.0.1:6050").split(","),
    count: Number(values.count),
    agentsPerConnection: Number(values["agents-per-connection"]),
    startMs: Number(values["start-ms"]),
    name: values.name,
    ...(values.resources !== undefined && { resources: values.resources }),
  });
  const print = (): void => {
    const last = [...simulated.epochs].at(-1);
    const epoch = last && { epoch: last[0], leadToLastConfirmMs: Math.round(last[1].lastConfirm - last[1].firstLead), ...last[1] };
    console.log(JSON.stringify({ time: new Date().toISOString(), ...simulated.counts, last: epoch }));
  };
  const timer = setInterval(print, 1000);
  process.once("SIGINT", () => process.exit());
  process.once("SIGTERM", () => {
    clearInterval(timer);
    print();
    void simulated[Symbol.asyncDispose]().then(() => process.exit());
  });
}
