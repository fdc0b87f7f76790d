/**
 * The agent's shell: inputs from masters, processes and the clock go through one mailbox to the machine; what it writes
 * becomes durable; then what it wants is done. Stopping it, or its death, ends no task.
 */
import { mkdir } from "node:fs/promises";
import { type Clock, systemClock } from "../async/clock.ts";
import { Mailbox } from "../async/mailbox.ts";
import { Scope } from "../async/scope.ts";
import { Timer } from "../async/timer.ts";
import { MesarchError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { DirectoryCheckpoint } from "../checkpoint/checkpoint.ts";
import { type WorkPaths, workPaths } from "../checkpoint/paths.ts";
import { ControlGroups } from "../containers/control-groups.ts";
import { ProcessContainers } from "../containers/process-containers.ts";
import { bootId } from "../containers/process-identity.ts";
import type { Input } from "../core/agent/input.ts";
import { AgentMachine } from "../core/agent/machine.ts";
import type { Output } from "../core/agent/output.ts";
import type { AgentState } from "../core/agent/state.ts";
import { openAgentDoor } from "../grpc/agent-operator-door.ts";
import { GrpcMasterDialer } from "../grpc/agent-link.ts";
import { limits } from "../model/limits.ts";
import type { Checkpoint } from "../ports/checkpoint.ts";
import type { Containers } from "../ports/containers.ts";
import type { MasterDialer } from "../ports/master-links.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { Durability } from "./durability.ts";
import { MasterLinks } from "./links.ts";
import { AgentObserver } from "./observer.ts";
import { type AgentOptions, type CompiledOptions, compileOptions, defaultWorkDirectory } from "./options.ts";
import { runSpecOf } from "./run-spec.ts";
import { SandboxCollector } from "./sandbox-collector.ts";
import { systemRandom } from "./system-random.ts";
import { SandboxLogs } from "./task-logs.ts";
import { TaskRunner } from "./task-runner.ts";

export interface AgentDeps {
  readonly telemetry: Telemetry;
  /** Each default is the real thing. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly checkpoint?: Checkpoint;
  readonly containers?: Containers;
  readonly dialer?: MasterDialer;
}

/** How an agent that was not stopped came to its end. */
export interface AgentLeft {
  readonly reason: "gone" | "duplicate";
  readonly message: string;
}

export interface Agent extends AsyncDisposable {
  /** host:port of its gRPC door, as told to masters. */
  readonly address: string;
  /** Resolves when it has ended; rejects when it failed. Its tasks go on either way, unless it is gone. */
  readonly done: Promise<void>;
  /** Set before `done` resolves when the leader sent it away. */
  readonly left: AgentLeft | undefined;
  /** For views and tests; never changed from outside. */
  readonly state: Readonly<AgentState>;
}

/** Inputs handled between two looks at the rest of the world. */
const INPUTS_PER_TURN = 256;
const SANDBOX_CHECK_MS = 60_000;

/**
 * Starts an agent over its work directory. Rejects, touching no task, when the directory is in use
 * (`WorkDirectoryLocked`) or damaged (`CheckpointDamaged`), the port is taken, or an option is invalid.
 */
export async function startAgent(options: AgentOptions, deps: AgentDeps): Promise<Agent> {
  await mkdir(options.workDirectory ?? defaultWorkDirectory, { recursive: true });
  const compiled = await compileOptions(options);
  const scope = new Scope("agent");
  try {
    return await RunningAgent.start(compiled, deps, scope);
  } catch (error) {
    await scope.stop();
    throw error;
  }
}

class RunningAgent implements Agent {
  readonly #scope: Scope;
  readonly #options: CompiledOptions;
  readonly #telemetry: Telemetry;
  readonly #clock: Clock;
  readonly #paths: WorkPaths;
  readonly #mailbox = new Mailbox<Input>({ capacity: limits.mailboxInputs });
  readonly #timer: Timer;
  readonly #observer: AgentObserver;
  readonly #alarms = new Set<string>();
  readonly #machine: AgentMachine;
  readonly #durability: Durability;
  readonly #runner: TaskRunner;
  readonly #links: MasterLinks;
  readonly #collector: SandboxCollector;
  readonly address: string;
  left: AgentLeft | undefined;

  static async start(options: CompiledOptions, deps: AgentDeps, scope: Scope): Promise<RunningAgent> {
    const random = deps.random ?? systemRandom;
    const paths = workPaths(options.workDirectory);
    const log = deps.telemetry.log;
    const checkpoint = deps.checkpoint ?? (await DirectoryCheckpoint.open(paths.root, random));
    scope.defer(() => checkpoint[Symbol.asyncDispose]());
    const groups = options.controlGroup === false ? undefined : await ControlGroups.open(options.controlGroup);
    const containers =
      deps.containers ??
      (await ProcessContainers.open({
        directory: paths.runs,
        logs: options.logs,
        controlGroups: groups,
        onProblem: (about, error) => log.warn(`${about}: will be tried again`, { error }),
      }));
    scope.defer(() => containers[Symbol.asyncDispose]());

    // The door is opened first, since its port is told to masters; the agent answers as soon as it stands.
    let agent: RunningAgent | undefined;
    const logs = new SandboxLogs({
      sandbox: paths.sandbox,
      mayStillWrite: (launchId) => agent?.holdsLive(launchId) ?? true,
      clock: deps.clock ?? systemClock,
    });
    const door = await scope.start(() => openAgentDoor({ host: options.listen, port: options.port, logs }));
    const address = `${options.ip}:${door.port}`;
    agent = new RunningAgent(options, deps, scope, { checkpoint, containers, random, paths, address });
    await agent.#begin(checkpoint);
    return agent;
  }

  constructor(
    options: CompiledOptions,
    deps: AgentDeps,
    scope: Scope,
    parts: { checkpoint: Checkpoint; containers: Containers; random: Random; paths: WorkPaths; address: string },
  ) {
    const { checkpoint, containers, random, paths } = parts;
    this.#options = options;
    this.#scope = scope;
    this.#telemetry = deps.telemetry;
    this.#clock = deps.clock ?? systemClock;
    this.#paths = paths;
    this.address = parts.address;
    this.#observer = new AgentObserver(deps.telemetry, () => this.#clock.now());
    this.#timer = new Timer(this.#clock, () => this.#mailbox.deliver({ kind: "deadline" }));
    this.#machine = new AgentMachine({
      settings: {
        ...options.timings,
        info: options.info,
        resources: options.resources,
        address: parts.address,
        ip: options.ip,
        bootId: bootId(),
        incarnation: { starts: checkpoint.starts, nonce: random.hex(8) },
      },
      random,
      epoch: checkpoint.epoch,
      records: checkpoint.records,
    });
    this.#durability = new Durability({
      checkpoint,
      snapshot: () => this.#machine.snapshot(),
      release: (outputs) => this.#release(outputs),
      onStorage: (storage, error) => {
        if (storage === "good") this.#telemetry.log.info("the journal takes everything again");
        else this.#telemetry.log.error(`the journal is ${storage}: no new tasks; running tasks go on`, { error });
        this.#mailbox.deliver({ kind: "storage", storage });
      },
      clock: this.#clock,
    });
    this.#runner = new TaskRunner({
      containers,
      deliver: (input) => void this.#mailbox.deliver(input),
      onProblem: (launchId, what, error) =>
        this.#telemetry.log.warn(`cannot ${what} the run yet; will be tried again`, { launch: launchId, error }),
      clock: this.#clock,
      random,
      signal: scope.signal,
    });
    const dialer = deps.dialer ?? new GrpcMasterDialer();
    if (dialer instanceof GrpcMasterDialer && deps.dialer === undefined) scope.defer(() => dialer[Symbol.dispose]());
    this.#links = new MasterLinks({
      dialer,
      masters: options.masters,
      submit: (input) => this.#mailbox.push(input),
      deliver: (input) => void this.#mailbox.deliver(input),
      clock: this.#clock,
      random,
      log: deps.telemetry.log,
    });
    this.#collector = new SandboxCollector({
      directory: paths.sandboxes,
      isHeld: (launchId) => this.state.tasks.has(launchId),
      keepMs: options.sandboxKeepMs,
      freeShare: options.diskFreeShare,
      checkMs: SANDBOX_CHECK_MS,
      clock: this.#clock,
      onProblem: (launchId, error) => this.#telemetry.log.warn("cannot remove a sandbox", { launch: launchId, error }),
    });
    scope.defer(() => this.#collector[Symbol.asyncDispose]());
  }

  get state(): Readonly<AgentState> {
    return this.#machine.state;
  }

  get done(): Promise<void> {
    return this.#scope.done;
  }

  holdsLive(launchId: string): boolean {
    const task = this.state.tasks.get(launchId);
    return task !== undefined && task.phase !== "ended";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.stop();
  }

  async #begin(checkpoint: Checkpoint): Promise<void> {
    const runs = await this.#runner.inspectAll(this.state.tasks.keys());
    this.#telemetry.instruments.epoch.observe((report) => report(this.state.epoch.revision));
    this.#scope.defer(() => this.#timer[Symbol.dispose]());
    this.#scope.run(() => this.#durability.run());
    this.#scope.defer(() => this.#durability.close());
    this.#step({ kind: "started", runs });
    this.#runner.watch();
    this.#scope.run(() => this.#serve());
    this.#scope.defer(() => this.#mailbox.close());
    this.#scope.run((signal) => this.#links.run(signal));
    this.#telemetry.log.info(`agent started for the ${checkpoint.starts}. time, holding ${this.state.tasks.size} tasks`, {
      address: this.address,
      resources: this.#options.resources.toString(),
    });
  }

  async #serve(): Promise<void> {
    while (await this.#mailbox.ready()) for (const input of this.#mailbox.take(INPUTS_PER_TURN)) this.#step(input);
  }

  #step(input: Input): void {
    if (input.kind === "fromMaster") this.#observer.received(input.batch);
    this.#durability.push(this.#machine.step(input, this.#clock.now(), this.#clock.wall()));
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
        return this.#runner.remove(output.launchId, () => void this.#collector.forgotten(output.launchId));
      case "alarm":
        return this.#alarm(output.cause, output.message);
      case "leave":
        return this.#leave(output);
    }
  }

  #start(task: Extract<Output, { kind: "start" }>["task"]): void {
    const { launchId, traceparent } = task;
    const context = this.#observer.starting(launchId, traceparent);
    const spec = runSpecOf(task, this.#paths.sandbox(launchId), this.state.identity.agentId, context);
    this.#runner.start(launchId, spec);
  }

  #alarm(cause: string, message: string): void {
    if (this.#alarms.has(cause) || this.#alarms.size > 1000) return;
    this.#alarms.add(cause);
    this.#telemetry.log.error(message, { alarm: cause });
  }

  #leave({ reason, message }: Extract<Output, { kind: "leave" }>): void {
    if (this.left !== undefined) return;
    this.left = { reason, message };
    this.#telemetry.log.error(`the leader sends this agent away (${reason}): ${message}`);
    if (reason === "duplicate") this.#scope.fail(new MesarchError("conflict", `another agent has this identity: ${message}`));
    else void this.#scope.stop();
  }
}
