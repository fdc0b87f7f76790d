/**
 * The agent's shell: inputs from masters, processes and the clock go through one mailbox to the machine; what it writes
 * becomes durable; then what it wants is done. Stopping it, or its death, ends no task.
 */
import type { Clock } from "../async/clock.ts";
import { Mailbox } from "../async/mailbox.ts";
import { type Component, Scope } from "../async/scope.ts";
import { Timer } from "../async/timer.ts";
import { epochText } from "../base/epoch.ts";
import { MesarchError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Input } from "../core/agent/input.ts";
import { AgentMachine } from "../core/agent/machine.ts";
import type { Output } from "../core/agent/output.ts";
import type { AgentSettings } from "../core/agent/settings.ts";
import type { AgentState } from "../core/agent/state.ts";
import { limits } from "../model/limits.ts";
import type { Checkpoint, Storage } from "../ports/checkpoint.ts";
import type { Containers } from "../ports/containers.ts";
import type { MasterDialer } from "../ports/master-links.ts";
import type { Sandboxes } from "../ports/sandboxes.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { Durability } from "./durability.ts";
import { MasterLinks } from "./links.ts";
import { AgentObserver } from "./observer.ts";
import { runSpecOf } from "./run-spec.ts";
import { TaskRunner } from "./task-runner.ts";

/** What an agent works with; the owner disposes of it after the agent. */
export interface AgentPorts {
  readonly checkpoint: Checkpoint;
  readonly containers: Containers;
  readonly sandboxes: Sandboxes;
  readonly dialer: MasterDialer;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
}

/** How an agent that was not stopped came to its end. */
export interface AgentLeft {
  readonly reason: "gone" | "duplicate";
  readonly message: string;
}

/** Inputs handled between two looks at the rest of the world. */
const INPUTS_PER_TURN = 256;
/** Causes of alarms told once; beyond it, no more. */
const MAX_ALARMS = 1000;

export class Agent implements Component {
  readonly #scope = new Scope("agent");
  readonly #settings: AgentSettings;
  readonly #ports: AgentPorts;
  readonly #mailbox: Mailbox<Input>;
  readonly #timer: Timer;
  readonly #observer: AgentObserver;
  readonly #alarms = new Set<string>();
  readonly #machine: AgentMachine;
  readonly #durability: Durability;
  readonly #runner: TaskRunner;
  readonly #links: MasterLinks;
  #left: AgentLeft | undefined;

  /** `masters`: host:port of each. Rejects when the runs of earlier processes cannot be looked at. */
  static async start(settings: AgentSettings, masters: readonly string[], ports: AgentPorts): Promise<Agent> {
    const agent = new Agent(settings, masters, ports);
    try {
      await agent.#begin();
      return agent;
    } catch (error) {
      await agent[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(settings: AgentSettings, masters: readonly string[], ports: AgentPorts) {
    const { checkpoint, containers, clock, random } = ports;
    const telemetry = ports.telemetry.withLog(ports.telemetry.log.child(() => ({ epoch: epochText(this.state.epoch) })));
    this.#mailbox = new Mailbox({ capacity: limits.mailboxInputs, schedule: (wake) => clock.after(0, wake) });
    const deliver = (input: Input): void => void this.#mailbox.deliver(input);
    this.#settings = settings;
    this.#ports = { ...ports, telemetry };
    this.#timer = new Timer(clock, () => deliver({ kind: "deadline" }));
    this.#machine = new AgentMachine({ settings, random, epoch: checkpoint.epoch, records: checkpoint.records });
    this.#observer = new AgentObserver(telemetry, this.#machine.state, () => clock.now());
    this.#durability = new Durability({
      checkpoint,
      clock,
      snapshot: () => this.#machine.snapshot(),
      release: (outputs) => this.#release(outputs),
      onStorage: (storage, error) => this.#storageChanged(storage, error),
    });
    this.#runner = new TaskRunner({
      containers,
      clock,
      random,
      deliver,
      signal: this.#scope.signal,
      onProblem: (launchId, what, error) => telemetry.log.warn(`cannot ${what} a run yet`, { launch: launchId, error }),
    });
    const submit = (input: Input): boolean => this.#mailbox.push(input);
    this.#links = new MasterLinks({ dialer: ports.dialer, masters, submit, deliver, clock, random, log: telemetry.log });
  }

  /** For views and tests; never changed from outside. */
  get state(): Readonly<AgentState> {
    return this.#machine.state;
  }

  /** Resolves when it has ended; rejects when it failed. Its tasks go on either way, unless it is gone. */
  get done(): Promise<void> {
    return this.#scope.done;
  }

  /** Set before `done` settles when the leader sent it away. */
  get left(): AgentLeft | undefined {
    return this.#left;
  }

  /** Whether this launch is held, ended or not. */
  holds(launchId: string): boolean {
    return this.state.tasks.has(launchId);
  }

  /** Whether this launch is held and its process may still write. */
  holdsLive(launchId: string): boolean {
    const task = this.state.tasks.get(launchId);
    return task !== undefined && task.phase !== "ended";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.stop();
  }

  async #begin(): Promise<void> {
    const { telemetry, checkpoint } = this.#ports;
    const runs = await this.#runner.inspectAll(this.state.tasks.keys());
    this.#scope.defer(telemetry.instruments.epoch.observe((report) => report(this.state.epoch.revision)));
    this.#scope.defer(() => this.#timer[Symbol.dispose]());
    this.#scope.defer(() => this.#runner.idle());
    this.#scope.run(() => this.#durability.run());
    this.#scope.defer(() => this.#durability.close());
    this.#step({ kind: "started", runs });
    this.#runner.watch();
    this.#scope.run(() => this.#serve());
    this.#scope.defer(() => this.#mailbox.close());
    this.#scope.run((signal) => this.#links.run(signal));
    telemetry.log.info(`agent started (${checkpoint.starts}), holding ${this.state.tasks.size} tasks`, {
      address: this.#settings.address,
      resources: this.#settings.resources.toString(),
    });
  }

  async #serve(): Promise<void> {
    while (await this.#mailbox.ready()) for (const input of this.#mailbox.take(INPUTS_PER_TURN)) this.#step(input);
  }

  #step(input: Input): void {
    const { clock } = this.#ports;
    const step = this.#machine.step(input, clock.now(), clock.wall());
    for (const write of step.writes) this.#observer.decided(write);
    this.#durability.push(step);
    this.#timer.armAt(this.#machine.nextDeadline());
  }

  #release(outputs: readonly Output[]): void {
    for (const output of outputs) {
      this.#observer.released(output);
      this.#do(output);
    }
  }

  #do(output: Output): void {
    switch (output.kind) {
      case "say":
        return this.#links.send(output.link, output.message);
      case "closeLink":
        return this.#links.close(output.link, output.reason);
      case "start":
        return this.#start(output.task);
      case "cancel":
        return this.#runner.cancel(output.launchId);
      case "kill":
        return this.#runner.kill(output.launchId, output.graceMs);
      case "collect":
        return this.#runner.remove(output.launchId, () => void this.#ports.sandboxes.forgotten(output.launchId));
      case "alarm":
        return this.#alarm(output.cause, output.message);
      case "leave":
        return this.#leave(output);
    }
  }

  #start(task: Extract<Output, { kind: "start" }>["task"]): void {
    const { launchId } = task;
    const context = this.#observer.starting(task);
    const sandbox = this.#ports.sandboxes.path(launchId);
    this.#runner.start(launchId, runSpecOf(task, sandbox, this.state.identity.agentId, context));
  }

  #storageChanged(storage: Storage, error: unknown): void {
    const { log } = this.#ports.telemetry;
    if (storage === "good") log.info("the journal takes everything again");
    else log.error(`the journal is ${storage}: no new tasks are taken, running ones go on`, { error });
    this.#mailbox.deliver({ kind: "storage", storage });
  }

  #alarm(cause: string, message: string): void {
    if (this.#alarms.has(cause) || this.#alarms.size >= MAX_ALARMS) return;
    this.#alarms.add(cause);
    this.#ports.telemetry.log.error(message, { alarm: cause });
  }

  #leave({ reason, message }: AgentLeft): void {
    if (this.#left !== undefined) return;
    this.#left = { reason, message };
    this.#ports.telemetry.log.error(`the leader sends this agent away (${reason}): ${message}`);
    if (reason === "duplicate") this.#scope.fail(new MesarchError("conflict", `another agent has this identity: ${message}`));
    else void this.#scope.stop();
  }
}
