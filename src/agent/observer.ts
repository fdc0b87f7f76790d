/** What telemetry tells of an agent: the spans of a launch, and counts. */
import { epochText } from "../base/epoch.ts";
import type { AgentState } from "../core/agent/state.ts";
import type { Output } from "../core/agent/output.ts";
import type { Write } from "../core/agent/step.ts";
import { isTerminal, stateName } from "../model/task-state.ts";
import type { Attributes, Span, Telemetry } from "../telemetry/telemetry.ts";
import type { TaskUpdate } from "../wire/gen/mesarch/v1/agents.ts";
import type { TaskAccepted } from "../wire/gen/mesarch/v1/checkpoint.ts";
import { TaskState, type TaskStatus } from "../wire/gen/mesos/v1/mesos.ts";

/** A launch on its way from the order to the running process. */
interface Launching {
  readonly launch: Span;
  start: Span | undefined;
  /** Monotonic milliseconds. */
  readonly receivedAt: number;
}

/** Launches watched at a time; more are not traced. */
const MAX_LAUNCHING = 10_000;

export class AgentObserver {
  readonly #telemetry: Telemetry;
  readonly #state: Readonly<AgentState>;
  readonly #now: () => number;
  readonly #launching = new Map<string, Launching>();

  /** `now`: monotonic milliseconds. */
  constructor(telemetry: Telemetry, state: Readonly<AgentState>, now: () => number) {
    this.#telemetry = telemetry;
    this.#state = state;
    this.#now = now;
  }

  /** A step decided to write this. */
  decided(write: Write): void {
    const record = write.kind === "record" ? write.record.record : undefined;
    switch (record?.$case) {
      case "accepted":
        return this.#accepted(record.value);
      case "update":
        return this.#updated(record.value.launchId, record.value.status);
      case "kill":
        return this.#killing(record.value.launchId);
    }
  }

  /** The start of this launch's process is asked for now. Returns the trace context for the process. */
  starting({ launchId, traceparent }: TaskAccepted): string | undefined {
    const entry = this.#launching.get(launchId);
    const parent = entry?.launch.traceparent ?? (traceparent || undefined);
    const span = this.#telemetry.startSpan("mesarch.task.start", { parent, attributes: { "mesarch.launch.id": launchId } });
    if (entry === undefined) span.end();
    else entry.start = span;
    return span.traceparent ?? parent;
  }

  released(output: Output): void {
    if (output.kind !== "say") return;
    const { body } = output.message;
    if (body?.$case === "update") this.#said(body.value);
    else if (body?.$case === "epochRefused") this.#telemetry.instruments.fencedWrites.add(1);
  }

  #updated(launchId: string, status: TaskStatus | undefined): void {
    const state = status?.state ?? TaskState.TASK_STAGING;
    this.#telemetry.instruments.taskUpdates.add(1, { state: stateName(state) });
    if (!isTerminal(state)) return;
    const message = status?.message;
    this.#telemetry.log.info("task ended", { ...this.#fieldsOf(launchId), state: stateName(state), ...(message && { message }) });
  }

  #killing(launchId: string): void {
    const fields = this.#fieldsOf(launchId);
    this.#telemetry.log.info("killing a task", fields);
    this.#moment("mesarch.agent.kill", launchId, fields.traceparent, {});
  }

  #fieldsOf(launchId: string) {
    const accepted = this.#state.tasks.get(launchId)?.accepted;
    return { task: accepted?.task?.taskId?.value, launch: launchId, traceparent: accepted?.traceparent || undefined };
  }

  #accepted(order: TaskAccepted): void {
    const { launchId, task, framework, traceparent, refused } = order;
    this.#telemetry.log.info(refused ? "refusing a task" : "launching a task", {
      task: task?.taskId?.value,
      launch: launchId,
      framework: framework?.id?.value,
      traceparent: traceparent || undefined,
    });
    if (this.#launching.size >= MAX_LAUNCHING) return;
    const launch = this.#telemetry.startSpan("mesarch.agent.launch", {
      parent: order.traceparent || undefined,
      attributes: {
        "mesarch.launch.id": order.launchId,
        "mesos.task.id": order.task?.taskId?.value,
        "mesos.framework.id": order.framework?.id?.value,
        "mesarch.epoch": epochText(this.#state.epoch),
      },
    });
    this.#launching.set(order.launchId, { launch, start: undefined, receivedAt: this.#now() });
  }

  /** The first update said of a launch ends it. */
  #said({ launchId, status, traceparent }: TaskUpdate): void {
    const state = status?.state ?? TaskState.TASK_STAGING;
    const entry = this.#launching.get(launchId);
    this.#launching.delete(launchId);
    if (entry !== undefined && isTerminal(state)) {
      const failure = new Error(status?.message ?? stateName(state));
      entry.start?.fail(failure);
      entry.launch.fail(failure);
    } else if (entry !== undefined) {
      entry.start?.end();
      entry.launch.end({ "mesos.task.state": stateName(state) });
      this.#telemetry.instruments.taskStartDuration.record((this.#now() - entry.receivedAt) / 1000);
    }
    this.#moment("mesarch.status", launchId, traceparent, { "mesos.task.state": stateName(state), "mesarch.epoch": epochText(this.#state.epoch) });
  }

  #moment(name: "mesarch.status" | "mesarch.agent.kill", launchId: string, parent: string | undefined, attributes: Attributes): void {
    if (!this.#telemetry.enabled) return;
    this.#telemetry.startSpan(name, { parent: parent || undefined, attributes: { ...attributes, "mesarch.launch.id": launchId } }).end();
  }
}
