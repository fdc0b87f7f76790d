/** Composition root of an agent: checkpoint, containers, sandboxes, doors and links, and the agent itself. */
import { mkdir } from "node:fs/promises";
import { Agent, type AgentLeft } from "../agent/agent.ts";
import { systemRandom } from "../async/system-random.ts";
import { type Clock, systemClock } from "../async/clock.ts";
import { Scope } from "../async/scope.ts";
import type { Random } from "../base/random.ts";
import { DirectoryCheckpoint } from "../checkpoint/checkpoint.ts";
import { workPaths } from "../checkpoint/paths.ts";
import { SandboxCollector } from "../checkpoint/sandbox-collector.ts";
import { SandboxLogs } from "../checkpoint/sandbox-logs.ts";
import { ControlGroups } from "../containers/control-groups.ts";
import { OwnProcess } from "../containers/own-process.ts";
import { ProcessContainers } from "../containers/process-containers.ts";
import { bootId } from "../containers/process-identity.ts";
import type { AgentState } from "../core/agent/state.ts";
import { GrpcMasterDialer } from "../grpc/agent-link.ts";
import { openAgentDoor } from "../grpc/agent-operator-door.ts";
import type { Checkpoint } from "../ports/checkpoint.ts";
import type { Containers } from "../ports/containers.ts";
import type { MasterDialer } from "../ports/master-links.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { type AgentOptions, type CompiledAgentOptions, compileAgentOptions } from "./agent-start-options.ts";

export interface AgentDeps {
  readonly telemetry: Telemetry;
  /** Each default is the real thing; what is given is its giver's to dispose of. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly checkpoint?: Checkpoint;
  readonly containers?: Containers;
  readonly dialer?: MasterDialer;
}

export interface RunningAgent extends AsyncDisposable {
  /** host:port of its gRPC door, as told to masters. */
  readonly address: string;
  /** Resolves when it has ended; rejects when it failed. Its tasks go on either way, unless it is gone. */
  readonly done: Promise<void>;
  /** Set before `done` settles when the leader sent it away. */
  readonly left: AgentLeft | undefined;
  /** For views and tests; never changed from outside. */
  readonly state: Readonly<AgentState>;
}

const SANDBOX_CHECK_MS = 60_000;

/**
 * Starts an agent over its work directory. Rejects, touching no task, when the directory is in use
 * (`WorkDirectoryLocked`) or damaged (`CheckpointDamaged`), the port is taken, or an option is invalid.
 */
export async function startAgent(options: AgentOptions, deps: AgentDeps): Promise<RunningAgent> {
  const compiled = await compileAgentOptions(options, (directory) => mkdir(directory, { recursive: true }));
  const scope = new Scope("agent");
  try {
    return await start(compiled, deps, scope);
  } catch (error) {
    await scope.stop();
    throw error;
  }
}

async function start(options: CompiledAgentOptions, deps: AgentDeps, scope: Scope): Promise<RunningAgent> {
  const { telemetry, clock = systemClock, random = systemRandom } = deps;
  const { log } = telemetry;
  const paths = workPaths(options.workDirectory);
  const checkpoint = deps.checkpoint ?? (await scope.start(() => DirectoryCheckpoint.open(paths.root, random)));
  const containers =
    deps.containers ??
    (await scope.start(async () =>
      ProcessContainers.open({
        directory: paths.runs,
        clock,
        logs: options.logs,
        controlGroups: options.controlGroup === undefined ? undefined : await ControlGroups.open(options.controlGroup),
        onProblem: (about, error) => log.warn(`${about}: will be tried again`, { error }),
      }),
    ));
  const dialer = deps.dialer ?? new GrpcMasterDialer();
  if (deps.dialer === undefined) scope.defer(() => (dialer as GrpcMasterDialer)[Symbol.dispose]());

  // Needed before the agent is there, since masters are told the port: until then nothing is known to have ended.
  let agent: Agent | undefined;
  const logs = new SandboxLogs({ sandbox: paths.sandbox, mayStillWrite: (id) => agent?.holdsLive(id) ?? true, clock });
  const drills = options.allowDrills ? new OwnProcess(log) : undefined;
  const door = await scope.start(() => openAgentDoor({ host: options.listen, port: options.port, logs, drills }));
  const sandboxes = await scope.start(
    () =>
      new SandboxCollector({
        directory: paths.sandboxes,
        isHeld: (launchId) => agent?.holds(launchId) ?? true,
        keepMs: options.sandboxKeepMs,
        freeShare: options.diskFreeShare,
        checkMs: SANDBOX_CHECK_MS,
        clock,
        onProblem: (launchId, error) => log.warn("cannot remove a sandbox", { launch: launchId, error }),
      }),
  );

  const address = `${options.ip}:${door.port}`;
  const settings = {
    ...options.timings,
    info: options.info,
    resources: options.resources,
    address,
    ip: options.ip,
    bootId: bootId(),
    incarnation: { starts: checkpoint.starts, nonce: random.hex(8) },
  };
  const ports = { checkpoint, containers, sandboxes, dialer, clock, random, telemetry };
  const running = await scope.start(() => Agent.start(settings, options.masters, ports));
  agent = running;
  // When it ends by itself, what it stood on goes too.
  running.done.then(
    () => void scope.stop(),
    () => {},
  );
  return {
    address,
    done: scope.done,
    state: running.state,
    get left() {
      return running.left;
    },
    [Symbol.asyncDispose]: () => scope.stop(),
  };
}
