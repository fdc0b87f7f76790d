/** What telemetry tells of an agent: the spans of a launch, and counts. */
import { epochText } from "../base/epoch.ts";
import type { Output } from "../core/agent/output.ts";
import { isTerminal, stateName } from "../model/task-state.ts";
import type { Attributes, Span, Telemetry } from "../telemetry/telemetry.ts";
import type { Launch, MasterBatch, TaskUpdate } from "../wire/gen/mesarch/v1/agents.ts";
import { TaskState } from "../wire/gen/mesos/v1/mesos.ts";

interface Launching {
  readonly launch: Span;
  start: Span | undefined;
  readonly receivedAt: number;
}

/** Launches watched at a time; more are not traced. */
const MAX_LAUNCHING = 10_000;

export class AgentObserver {
  readonly #telemetry: Telemetry;
  readonly #now: () => number;
  readonly #launching = new Map<string, Launching>();

  /** `now`: monotonic milliseconds. */
  constructor(telemetry: Telemetry, now: () => number) {
    this.#telemetry = telemetry;
    this.#now = now;
  }

  received(batch: MasterBatch): void {
    for (const { body } of batch.messages) {
      if (body?.$case === "launch") this.#launch(body.value, batch);
      else if (body?.$case === "kill") this.#telemetry.log.debug("kill ordered", { launch: body.value.launchId });
    }
  }

  /** The start of this launch's process is asked for now. Returns the trace context for the process. */
  starting(launchId: string, traceparent: string): string | undefined {
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
    if (body?.$case === "update") this.#update(body.value);
    else if (body?.$case === "epochRefused") this.#telemetry.instruments.fencedWrites.add(1);
  }

  #launch(order: Launch, batch: MasterBatch): void {
    if (this.#launching.size >= MAX_LAUNCHING || this.#launching.has(order.launchId)) return;
    const launch = this.#telemetry.startSpan("mesarch.agent.launch", {
      parent: order.traceparent || undefined,
      attributes: {
        ...namesOf(order),
        "mesarch.epoch": batch.epoch === undefined ? "" : epochText(batch.epoch),
      },
    });
    this.#launching.set(order.launchId, { launch, start: undefined, receivedAt: this.#now() });
  }

  #update({ launchId, status, traceparent }: TaskUpdate): void {
    const { instruments } = this.#telemetry;
    const state = status?.state ?? TaskState.TASK_STAGING;
    instruments.taskUpdates.add(1, { state: stateName(state) });
    const entry = this.#launching.get(launchId);
    if (entry !== undefined) {
      this.#launching.delete(launchId);
      if (state === TaskState.TASK_RUNNING) {
        entry.start?.end();
        entry.launch.end({ "mesos.task.state": stateName(state) });
        instruments.taskStartDuration.record((this.#now() - entry.receivedAt) / 1000);
      } else {
        const failure = new Error(status?.message ?? stateName(state));
        entry.start?.fail(failure);
        if (isTerminal(state)) entry.launch.fail(failure);
        else entry.launch.end();
      }
    }
    if (!this.#telemetry.enabled) return;
    const attributes: Attributes = { "mesarch.launch.id": launchId, "mesos.task.state": stateName(state) };
    this.#telemetry.startSpan("mesarch.status", { parent: traceparent || undefined, attributes }).end();
  }
}

function namesOf(order: Launch): Attributes {
  return {
    "mesarch.launch.id": order.launchId,
    "mesos.task.id": order.task?.taskId?.value,
    "mesos.framework.id": order.framework?.id?.value,
  };
}
