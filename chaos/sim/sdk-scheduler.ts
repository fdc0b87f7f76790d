/** A scheduler that leaves it all to a session of the SDK, as users do. */
import { epochText } from "../../src/base/epoch.ts";
import { FrameworkRemovedError, MesarchError, type Offer, type SchedulerEvent, type SchedulerSession, type TaskInfo, type TaskStatus } from "../../src/sdk/index.ts";
import { openSession } from "../../src/sdk/scheduler.ts";
import type { Standpoint } from "../history/recorder.ts";
import { Chance } from "./chance.ts";
import { hostOf } from "./network.ts";
import { SdkTransport } from "./sdk-transport.ts";
import type { SchedulerClient, SchedulerLife } from "./schedulers.ts";

/** Rare branches of the SDK. */
export const sdkMarks = [
  "SDK: call answered by a later leader",
  "SDK: call made without a leader was answered",
  "SDK: offers went with their leader",
  "SDK: leader left for its successor",
  "SDK: no leader in time",
  "SDK: fell behind and started over",
] as const;

type SdkMark = (typeof sdkMarks)[number];

const RECONNECT_MS = 200;
/** A teardown is not given up. */
const NEVER_MS = 3_600_000;
/** The loop over events stands still for a while, so often, and for so long. */
const PAUSES = 0.02;
const PAUSE_MS = 1_000;
/** Events that may wait: as users have it, or so few that some pauses are too long. */
const QUEUES = [50_000, 5];
/** So often masters are known by another address than they name themselves, as by a name in place of a number. */
const ALIASES = 0.3;

export class SdkScheduler implements SchedulerClient {
  readonly #life: SchedulerLife;
  readonly #chance: Chance;
  #transport: SdkTransport | undefined;
  #next = Promise.withResolvers<SchedulerSession>();
  #session: SchedulerSession | undefined;

  constructor(life: SchedulerLife) {
    const { seed, framework, start } = life;
    this.#life = life;
    this.#chance = new Chance(seed, `scheduler/${framework}/${start}`);
    void this.#live();
  }

  launch(offer: Offer, tasks: readonly TaskInfo[]): Promise<Standpoint> {
    return this.#call((session) => session.launch(offer, tasks, { refuseSeconds: 1 }));
  }

  decline(offer: Offer, refuseSeconds: number): Promise<Standpoint> {
    return this.#call((session) => session.decline(offer, { refuseSeconds }));
  }

  kill(task: string, agent: string | undefined): Promise<Standpoint> {
    return this.#call((session) => session.kill(task, agent === undefined ? {} : { agentId: agent }));
  }

  acknowledge(status: TaskStatus): Promise<Standpoint> {
    return this.#call((session) => session.acknowledge(status));
  }

  reconcile(tasks: readonly string[]): Promise<Standpoint> {
    return this.#call((session) => session.reconcile(tasks.map((taskId) => ({ taskId }))));
  }

  suppress(): Promise<Standpoint> {
    return this.#call((session) => session.suppress());
  }

  revive(): Promise<Standpoint> {
    return this.#call((session) => session.revive());
  }

  teardown(): Promise<Standpoint> {
    return this.#call((session) => session.teardown({ timeoutMs: NEVER_MS }));
  }

  /** Before the first subscription, or after the end of a session, a call waits for the next one. */
  async #call(send: (session: SchedulerSession) => Promise<void>): Promise<Standpoint> {
    const session = this.#session ?? (await this.#next.promise);
    const { leader } = session;
    await send(session);
    const at = this.#transport?.answeredAt;
    if (leader === undefined) this.#mark("SDK: call made without a leader was answered");
    else if (at?.epoch !== undefined && at.epoch !== epochText(leader.epoch)) this.#mark("SDK: call answered by a later leader");
    return at ?? {};
  }

  async #live(): Promise<void> {
    const { process, network, listener, masters, framework, failoverTimeoutS, seed, start } = this.#life;
    const known = this.#chance.happens(ALIASES) ? masters.map((address) => `${hostOf(address)}:7050`) : masters;
    const random = new Chance(seed, `sdk/${framework}/${start}`).random;
    while (process.alive && !listener.over) {
      try {
        const transport = new SdkTransport({ network, process, asks: () => listener.asks() });
        this.#transport = transport;
        this.#session = await openSession(
          {
            masters: known,
            framework: { id: framework, name: framework, user: "root", failoverTimeoutSeconds: failoverTimeoutS },
            clock: process.clock,
            maxQueuedEvents: this.#chance.pick(QUEUES),
          },
          { transport, random },
        );
        this.#next.resolve(this.#session);
        this.#next = Promise.withResolvers();
        for await (const event of this.#session.events) {
          this.#tell(event);
          if (this.#chance.happens(PAUSES)) await this.#pause(this.#chance.between(0, PAUSE_MS));
        }
        return;
      } catch (error) {
        this.#ended(error);
      }
      this.#session = undefined;
      await this.#pause(this.#chance.between(0.5, 1.5) * RECONNECT_MS);
    }
  }

  #tell(event: SchedulerEvent): void {
    const { listener } = this.#life;
    if (event.type === "subscribed") listener.subscribed();
    else if (event.type === "disconnected") {
      if (event.reason === `${event.leader.name} leads now`) this.#life.complain("the session left its own leader");
      if (event.reason.endsWith("leads now")) this.#mark("SDK: leader left for its successor");
      if (event.reason.endsWith("waited to be read")) this.#mark("SDK: fell behind and started over");
      listener.disconnected();
    } else {
      if (event.type === "rescinded" && event.cause === "leader") this.#mark("SDK: offers went with their leader");
      listener.told(event);
    }
  }

  #ended(error: unknown): void {
    const { listener, complain } = this.#life;
    if (error instanceof FrameworkRemovedError) listener.refused(error.message);
    else if (error instanceof MesarchError && error.code === "no_leader") this.#mark("SDK: no leader in time");
    else complain(`the session ended: ${String(error)}`);
  }

  #mark(name: SdkMark): void {
    this.#life.mark(name);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#life.process.clock.after(ms, resolve));
  }
}
