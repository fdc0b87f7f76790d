/** A framework's session whose every call and event is written down: calls before they are sent, events before they are acted upon. */
import { epochText } from "../../../src/base/epoch.ts";
import {
  connectScheduler,
  type Offer,
  type SchedulerEvent,
  type SchedulerSession,
  type TaskInfo,
  type TaskStatus,
} from "../../../src/sdk/index.ts";
import type { CallName, CallValue, ObservationName, Unrecorded } from "../../history/event.ts";
import type { Recorder } from "../../history/recorder.ts";
import { hex, isNotDone, offerOf, updateOf } from "../../history/sessions.ts";
import { amountsOf } from "../../history/rows.ts";

export interface Framework {
  readonly id: string;
  readonly masters: readonly string[];
  readonly failoverTimeoutSeconds: number;
  /** `*` if not given. */
  readonly roles?: readonly string[];
}

export class RecordedSession {
  /** Calls without an outcome. */
  unanswered = 0;
  launched = 0;
  readonly framework: string;
  readonly #recorder: Recorder;
  readonly #session: SchedulerSession;
  /** Of the stream that the events being read came on. */
  #epoch: string | undefined;

  private constructor(framework: string, recorder: Recorder, session: SchedulerSession) {
    this.framework = framework;
    this.#recorder = recorder;
    this.#session = session;
  }

  /** Rejects as the subscription does. */
  static async connect({ id, masters, failoverTimeoutSeconds, roles = ["*"] }: Framework, recorder: Recorder): Promise<RecordedSession> {
    const call = recorder.invoke(`framework/${id}`, "subscribe", { framework: id, failoverTimeoutMs: failoverTimeoutSeconds * 1_000 });
    try {
      const session = await connectScheduler({ masters, framework: { name: id, id, failoverTimeoutSeconds, roles }, connectTimeoutMs: 120_000 });
      call.ok(standpoint(session));
      return new RecordedSession(id, recorder, session);
    } catch (error) {
      if (isNotDone(error)) call.fail(String(error));
      else call.unknown(String(error));
      throw error;
    }
  }

  get subscribed(): boolean {
    return this.#session.leader !== undefined;
  }

  /** For what is no part of the history any more. */
  get unrecorded(): SchedulerSession {
    return this.#session;
  }

  /** All that happens; ends with the session. */
  async *events(): AsyncGenerator<SchedulerEvent> {
    try {
      for await (const event of this.#session.events) {
        this.#note(event);
        yield event;
      }
    } catch (error) {
      this.#observe("frameworkError", { framework: this.framework, message: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  launch(offer: Offer, tasks: readonly TaskInfo[]): void {
    const value = {
      framework: this.framework,
      offers: [offer.id?.value ?? ""],
      agent: offer.agentId?.value ?? "",
      tasks: tasks.map((task) => ({ task: task.taskId?.value ?? "", resources: amountsOf(task.resources) })),
    };
    void this.#call("launch", value, () => this.#session.launch(offer, tasks, { refuseSeconds: 0 }));
  }

  kill(task: string, graceMs: number, agentId: string | undefined): void {
    const options = agentId === undefined ? { graceMs } : { graceMs, agentId };
    void this.#call("kill", { framework: this.framework, task, graceMs }, () => this.#session.kill(task, options));
  }

  acknowledge(status: TaskStatus): void {
    const value = { framework: this.framework, agent: status.agentId?.value ?? "", task: status.taskId?.value ?? "", uuid: hex(status.uuid) };
    void this.#call("acknowledge", value, () => this.#session.acknowledge(status));
  }

  reconcile(tasks: readonly string[]): void {
    const value = { framework: this.framework, tasks };
    void this.#call("reconcile", value, () => this.#session.reconcile(tasks.map((taskId) => ({ taskId }))));
  }

  decline(offer: Offer, refuseSeconds: number): void {
    const value = { framework: this.framework, offers: [offer.id?.value ?? ""] };
    void this.#call("decline", value, () => this.#session.decline(offer, { refuseSeconds }));
  }

  async teardown(): Promise<void> {
    await this.#call("teardown", { framework: this.framework }, () => this.#session.teardown());
  }

  async #call<K extends CallName>(op: K, value: CallValue<K>, send: () => Promise<void>): Promise<void> {
    const call = this.#recorder.invoke(`framework/${this.framework}`, op, value);
    this.unanswered += 1;
    try {
      await send();
      // The answer came on the stream of the leader that it is subscribed with, unless the session is over with it.
      call.ok(standpoint(this.#session));
      if (op === "launch") this.launched += 1;
    } catch (error) {
      if (isNotDone(error)) call.fail(String(error));
      else call.unknown(String(error));
    } finally {
      this.unanswered -= 1;
    }
  }

  #note(event: SchedulerEvent): void {
    const { framework } = this;
    switch (event.type) {
      case "subscribed":
        this.#epoch = epochText(event.leader.epoch);
        return this.#observe("subscribed", { framework });
      case "disconnected":
        this.#epoch = undefined;
        return this.#observe("disconnected", { framework });
      case "offers":
        for (const offer of event.offers) this.#observe("offer", offerOf(framework, offer));
        return;
      case "rescinded":
        for (const offer of event.offerIds) this.#observe("rescind", { framework, offer });
        return;
      case "update":
        return this.#observe("update", updateOf(framework, event.status));
    }
  }

  #observe(op: ObservationName, value: object): void {
    const epoch = this.#epoch === undefined ? {} : { epoch: this.#epoch };
    this.#recorder.record({ actor: `framework/${this.framework}`, kind: "observe", op, value, ...epoch } as unknown as Unrecorded);
  }
}

function standpoint({ leader }: SchedulerSession): { readonly epoch?: string } {
  return leader === undefined ? {} : { epoch: epochText(leader.epoch) };
}
