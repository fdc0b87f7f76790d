/** An agent as the master sees it: it reports truthfully, runs nothing, and says what the test tells it to. */
import { Digest } from "../../../src/model/digest.ts";
import { Resources } from "../../../src/model/resources.ts";
import { isTerminal } from "../../../src/model/task-state.ts";
import type { HeldTask, Launch, MasterMessage, Report } from "../../../src/wire/gen/mesarch/v1/agents.ts";
import type { EpochId, Incarnation } from "../../../src/wire/gen/mesarch/v1/registry.ts";
import type { AgentInfo, TaskStatus } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { TaskState, TaskStatus_Source } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import type { Scenario } from "./scenario.ts";

export interface AgentOptions {
  readonly resources?: string;
  readonly hostname?: string;
  readonly info?: Partial<AgentInfo>;
  /** Answer `lead` and `listWanted`, pong pings, forget after a final acknowledgement. Default: true. */
  readonly automatic?: boolean;
}

/** A task an agent holds. */
export interface Held {
  readonly launch: Launch;
  state: TaskState;
  seq: number;
  uuid: Uint8Array;
  unstarted: boolean;
}

export class AgentDouble {
  readonly #scenario: Scenario;
  readonly #options: AgentOptions;
  readonly nonce: string;
  readonly held = new Map<string, Held>();
  readonly heard: NonNullable<MasterMessage["body"]>[] = [];
  id = "";
  session = 0;
  confirmed = false;
  incarnation: Incarnation;
  storedEpoch: EpochId | undefined;
  #uuids = 0;

  constructor(scenario: Scenario, options: AgentOptions = {}) {
    this.#scenario = scenario;
    this.#options = options;
    this.nonce = `n${scenario.random.hex(8)}`;
    this.incarnation = { starts: 1, nonce: scenario.random.hex(8) };
  }

  get hostname(): string {
    return this.#options.hostname ?? "host1";
  }

  /** Opens a stream and greets; reports as soon as it is led. */
  connect(): void {
    this.session = this.#scenario.newSession(this);
    this.confirmed = false;
    this.#scenario.step({
      kind: "agentOpened",
      session: this.session,
      greeting: {
        protocol: 1,
        agentId: this.id,
        incarnation: this.incarnation,
        clusterId: "c1",
        storedEpoch: this.storedEpoch,
        address: "127.0.0.1:7051",
      },
    });
  }

  /** The stream breaks. */
  disconnect(): void {
    this.confirmed = false;
    this.#scenario.step({ kind: "agentClosed", session: this.session });
    this.#scenario.settle();
  }

  /** The agent process starts anew; its tasks go on. */
  restart(): void {
    this.incarnation = { starts: this.incarnation.starts + 1, nonce: this.#scenario.random.hex(8) };
  }

  report(more: Partial<Report> = {}, withInfos = false): void {
    const digest = new Digest();
    for (const launchId of this.held.keys()) digest.add(launchId);
    const resources = Resources.parse(this.#options.resources ?? "cpus:4;mem:4096");
    if (!resources.ok) throw new Error(resources.error);
    const storedEpoch = this.storedEpoch;
    this.storedEpoch = { ...this.#scenario.state.epoch };
    this.#scenario.step({
      kind: "agentReport",
      session: this.session,
      report: {
        agentId: this.id,
        clusterId: "c1",
        incarnation: this.incarnation,
        info: { hostname: this.hostname, resources: resources.value.toMesos(), attributes: [], port: 5051, ...this.#options.info },
        address: "127.0.0.1:7051",
        registrationNonce: this.nonce,
        storedEpoch,
        tasks: { count: digest.count, sum: digest.sumText },
        listed: false,
        held: [],
        ...more,
        ...(more.listed === true ? { held: this.list(withInfos) } : {}),
      },
    });
  }

  list(withInfos: boolean): HeldTask[] {
    return [...this.held.values()].map(({ launch, state, seq, unstarted }) => ({
      launchId: launch.launchId,
      frameworkId: launch.framework?.id?.value ?? "",
      taskId: launch.task?.taskId?.value ?? "",
      state,
      seq,
      unstarted,
      ...(withInfos ? { info: launch.task, framework: launch.framework } : {}),
      traceparent: "",
      role: launch.role,
    }));
  }

  /** Says an update about the task of this id. */
  update(taskId: string, state: TaskState, more: Partial<TaskStatus> = {}, latest: TaskState = state): TaskStatus {
    const held = this.byTask(taskId);
    held.state = latest;
    held.seq += 1;
    held.uuid = new Uint8Array(16).fill(++this.#uuids);
    const status: TaskStatus = {
      taskId: { value: taskId },
      agentId: { value: this.id },
      state,
      source: TaskStatus_Source.SOURCE_EXECUTOR,
      uuid: held.uuid,
      timestamp: 1,
      ...more,
    };
    this.say(taskId, status, held.seq);
    return status;
  }

  /** Says, or repeats, an update as it stands. */
  say(taskId: string, status: TaskStatus, seq: number): void {
    const { launch, state } = this.byTask(taskId);
    const update = { launchId: launch.launchId, seq, status, latestState: state, traceparent: "" };
    this.#scenario.step({ kind: "agentUpdate", session: this.session, update });
    this.#scenario.settle();
  }

  /** Says the head of a task's updates again, as agents do until it is acknowledged (7.1). */
  repeat(taskId: string): void {
    const held = this.byTask(taskId);
    if (held.seq === 0) return;
    const { state, uuid, seq } = held;
    const status = { taskId: { value: taskId }, agentId: { value: this.id }, state, source: TaskStatus_Source.SOURCE_EXECUTOR, uuid, timestamp: 1 };
    this.say(taskId, status, seq);
  }

  byTask(taskId: string): Held {
    const found = [...this.held.values()].filter(({ launch }) => launch.task?.taskId?.value === taskId);
    if (found.length !== 1) throw new Error(`agent ${this.id} holds ${found.length} tasks '${taskId}'`);
    return found[0]!;
  }

  of<C extends NonNullable<MasterMessage["body"]>["$case"]>($case: C): Extract<NonNullable<MasterMessage["body"]>, { $case: C }>["value"][] {
    return this.heard.filter((body) => body.$case === $case).map((body) => body.value as never);
  }

  hear({ body }: MasterMessage): void {
    if (body === undefined) return;
    this.heard.push(body);
    const automatic = this.#options.automatic ?? true;
    switch (body.$case) {
      case "lead":
        if (automatic) this.report();
        break;
      case "listWanted":
        if (automatic) this.report({ listed: true }, body.value.withInfos);
        break;
      case "confirm":
        this.id = body.value.agentId;
        this.confirmed = true;
        break;
      case "launch":
        if (this.held.has(body.value.launchId)) break;
        this.held.set(body.value.launchId, {
          launch: body.value,
          state: TaskState.TASK_STAGING,
          seq: 0,
          uuid: new Uint8Array(),
          unstarted: false,
        });
        break;
      case "settle":
        for (const launchId of [...body.value.cancel, ...body.value.forget]) this.held.delete(launchId);
        for (const launchId of body.value.start) this.held.get(launchId)!.unstarted = false;
        break;
      case "ping":
        if (automatic) this.#scenario.step({ kind: "agentPong", session: this.session, sequence: body.value.sequence });
        break;
      case "acknowledge": {
        const held = this.held.get(body.value.launchId);
        if (!automatic || held === undefined || !isTerminal(held.state)) break;
        this.held.delete(body.value.launchId);
        this.#scenario.step({ kind: "agentForgot", session: this.session, launchIds: [body.value.launchId] });
        break;
      }
    }
  }

  closed(): void {
    this.confirmed = false;
  }
}
