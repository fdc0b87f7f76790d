/**
 * One leadership as a lifetime: its loop, its record, its housekeeping and its handover begin and end together.
 */
import { delay, onAbort, withDeadline } from "../async/abort.ts";
import type { Clock } from "../async/clock.ts";
import type { AgentSessions } from "../api/agent-sessions.ts";
import type { LeadershipAccess, Numbers } from "../api/leadership.ts";
import type { LeaderViews } from "../api/leader-views.ts";
import type { OperatorCalls } from "../api/operator-calls.ts";
import type { SchedulerSessions } from "../api/scheduler-sessions.ts";
import { epochText } from "../base/epoch.ts";
import type { Random } from "../base/random.ts";
import type { Output } from "../core/master/output.ts";
import type { Fence, Store } from "../ports/registry.ts";
import type { HandoverOrder } from "../telemetry/handover.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { OperatorRequest } from "../wire/gen/mesarch/v1/operator.ts";
import { sizeOfChange } from "../wire/registry-codec.ts";
import type { Victory } from "./campaign.ts";
import { FailoverRecord } from "./failover-record.ts";
import type { Follower } from "./follower.ts";
import { HandoverRecord } from "./handover-record.ts";
import { Housekeeping } from "./housekeeping.ts";
import type { LeadershipEnd } from "./leader-contract.ts";
import { LeaderLoop } from "./leader-loop.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";
import type { MasterReport } from "./master-report.ts";
import type { MasterOptions } from "./options.ts";
import type { Watchtower } from "./watchtower.ts";

/** What clients of every kind come through; they outlive leaderships. */
export interface Doors {
  readonly schedulers: SchedulerSessions;
  readonly agents: AgentSessions;
  readonly operators: OperatorCalls;
  readonly views: LeaderViews;
}

export interface LeadershipDeps {
  readonly options: MasterOptions;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly follower: Follower;
  readonly watchtower: Watchtower;
  readonly lease: LeaseKeeper;
  readonly report: MasterReport;
  readonly doors: Doors;
  readonly numbers: Numbers;
}

/** The record of a failover is written when all agents are confirmed, or after this. */
const RECORD_AFTER_MS = 500;
/** When the trace of a failover ends at the latest. */
const FAILOVER_TRACE_MS = 10_000;
/** How long a handover leaves its key to the successor. */
const SUCCESSION_MS = 100;
/** How often the own reach is compared with the peers' (2.16). */
const REACH_LOOK_MS = 1_000;

export class Leadership {
  readonly loop: LeaderLoop;
  readonly #deps: LeadershipDeps;
  readonly #fence: Fence;
  readonly #failover: FailoverRecord;
  #handingOver = false;
  /** From here on only streams end, which its successor need not know. */
  #drained = false;

  constructor(deps: LeadershipDeps, victory: Victory, fence: Fence) {
    this.#fence = fence;
    const { options, follower, clock, store, random, lease } = deps;
    const meta = follower.tables.meta!;
    const epoch = epochText({ generation: meta.generation, revision: fence.createRevision });
    const telemetry = deps.telemetry.withLog(deps.telemetry.log.child({ epoch }));
    this.#deps = { ...deps, telemetry };
    this.loop = new LeaderLoop({
      machine: {
        leadership: {
          generation: meta.generation,
          revision: fence.createRevision,
          clusterId: meta.clusterId,
          master: options.name,
          address: options.address,
          since: victory.revision,
          electedAtMs: clock.wall(),
        },
        settings: options.machine,
        random,
        sizeOf: sizeOfChange,
        watched: () => deps.doors.operators.watched,
      },
      fence,
      follower,
      registry: store,
      speaker: { say: (output, revision) => this.#say(output, revision), restart: () => this.#restartStreams() },
      clock,
      telemetry,
      muteAfterMs: options.muteAfterMs,
      expireAfterMs: options.leaseTtlSeconds * 1000,
      canaryMs: options.canaryMs,
      fullRetryMs: options.fullRetryMs,
      onProof: (sentAt) => lease.proved(sentAt),
    });
    const { tables } = follower;
    this.#failover = new FailoverRecord({ clock, telemetry, victory, epoch: this.loop.epoch, master: options.name, tables });
  }

  /** On purpose passing on: peers may replace this master without further proof. */
  get handingOver(): boolean {
    return this.#handingOver;
  }

  /** Serves until the leadership is over. Aborting ends it where it stands. */
  async serve(signal: AbortSignal): Promise<LeadershipEnd> {
    const { options, clock, telemetry, store, report, follower, watchtower, doors } = this.#deps;
    const { loop } = this;
    const ended = loop.run();
    // The takeover path (5.1): agents hear `lead`, clients hear where to go, held calls are served. Nothing else here.
    const access = this.#access();
    doors.agents.begin(access);
    doors.schedulers.begin(access);
    doors.operators.begin(access);
    doors.views.leaderIs({ master: options.name, address: options.address, epoch: loop.epoch });
    watchtower.beat();
    const { record } = this.#failover;
    telemetry.log.info("leading", { cause: record.cause, tasks: follower.tables.tasks.size });
    const housekeeping = new Housekeeping({ options, store, clock, log: telemetry.log, loop, report });
    const cancels = [
      clock.after(RECORD_AFTER_MS, () => this.#writeFailover()),
      clock.after(FAILOVER_TRACE_MS, () => this.#failover.close() && this.#writeFailover()),
      this.#watchReach(),
    ];
    const stopListening = onAbort(signal, () => loop.end({ kind: "handedOver" }));
    this.#setInitialWeights();
    try {
      let end = await ended;
      // Its successor was quicker than its own word of it, and that is no deposal (2.12).
      if (end.kind === "deposed" && this.#handingOver) end = { kind: "handedOver" };
      logEnd(telemetry, end);
      return end;
    } finally {
      stopListening();
      for (const cancel of cancels) cancel();
      housekeeping.stop();
      this.#failover.close();
      doors.agents.end();
      doors.schedulers.end();
      doors.operators.end();
      doors.views.leaderIs(undefined);
    }
  }

  /** Passes leadership on: admits nothing new, says all that is durable, lets the next in line go first (2.15). */
  async handOver(order: HandoverOrder): Promise<void> {
    const { loop } = this;
    if (this.#handingOver) {
      await loop.ended;
      return;
    }
    const { clock, telemetry, options, watchtower, store } = this.#deps;
    this.#handingOver = true;
    const record = new HandoverRecord({ clock, telemetry, order, epoch: loop.epoch, master: options.name });
    await this.#successor();
    record.reached("successor");
    try {
      using bounded = withDeadline(undefined, options.muteAfterMs * 2, clock);
      await loop.drain(bounded.signal);
      this.#drained = true;
      record.reached("drained");
    } catch {
      telemetry.log.warn("handing over with calls still unanswered: the store is slow");
    }
    watchtower.beat();
    if (this.#drained) await this.#succession();
    if (this.#queued()) await removeKey(store, this.#fence, clock, telemetry);
    record.reached("key_removed");
    loop.end({ kind: "handedOver" });
    record.close();
  }

  /** True once peers should take over: drained, with nothing more to say. */
  get drained(): boolean {
    return this.#drained;
  }

  #access(): LeadershipAccess {
    const { loop } = this;
    return {
      epoch: loop.epoch,
      clusterId: this.#deps.follower.tables.meta!.clusterId,
      submit: (input) => loop.submit(input),
      deliver: (input) => loop.deliver(input),
    };
  }

  #say(output: Output, revision: number): void {
    const { doors, report, telemetry } = this.#deps;
    switch (output.kind) {
      case "event":
      case "closeScheduler":
      case "reply":
        return doors.schedulers.say(output, revision);
      case "agent":
      case "closeAgent":
        return doors.agents.say(output);
      case "operatorReply":
      case "operatorRefusal":
      case "notice":
      case "snapshot":
      case "handOver":
        return doors.operators.say(output, this.loop.epoch, revision);
      case "alarm":
        return report.alarm(output.cause, output.message, telemetry.log);
      case "milestone":
        if (output.name === "roomAgain") return this.loop.leaveReadOnly();
        if (this.#failover.reached(output.name)) this.#writeFailover();
    }
  }

  #writeFailover(): void {
    this.loop.deliver({ kind: "leaderRecord", record: this.#failover.record });
  }

  #restartStreams(): void {
    const { doors } = this.#deps;
    doors.schedulers.cut();
    doors.operators.cut();
    doors.agents.restart();
  }

  /** Waits, within the grace, for somebody to hand over to; alone in the queue there is nobody to wait for. */
  async #successor(): Promise<void> {
    const { clock, options, watchtower } = this.#deps;
    const until = clock.now() + options.stopGraceMs;
    const ready = (): boolean =>
      watchtower.candidates.some((one) => one.record.master !== options.name && watchtower.verdictOn(one) === "alive");
    while (!ready() && watchtower.candidates.length > 1 && clock.now() < until) await delay(20, undefined, clock);
  }

  /**
   * The next in line deletes this key in the very transaction by which it leads. Deleting it here as well would only make
   * that one wait, so it is left to it for a while.
   */
  async #succession(): Promise<void> {
    const { clock, watchtower } = this.#deps;
    const until = clock.now() + SUCCESSION_MS;
    while (this.#queued() && watchtower.candidates.length > 1 && clock.now() < until) await delay(10, undefined, clock);
  }

  #queued(): boolean {
    return this.#deps.watchtower.candidates.some(({ createRevision }) => createRevision === this.#fence.createRevision);
  }

  /** A leader that reaches under half as many agents as the best peer alive is the one cut off (2.16). */
  #watchReach(): () => void {
    const { clock, telemetry, report, doors, options } = this.#deps;
    let since: number | undefined;
    let cancel: () => void = () => {};
    const look = (): void => {
      const best = report.bestPeerAgents();
      const own = doors.agents.connected;
      if (best < 2 || own * 2 >= best) since = undefined;
      else since ??= clock.now();
      if (since !== undefined && clock.now() - since >= options.cutOffMs && report.mayHandOver()) {
        telemetry.log.warn("handing over: a peer reaches more than twice as many agents", { own, best });
        void this.handOver("reach");
        return;
      }
      cancel = clock.after(REACH_LOOK_MS, look);
    };
    look();
    return () => cancel();
  }

  #setInitialWeights(): void {
    const { options, follower, numbers } = this.#deps;
    for (const [role, weight] of options.weights) {
      if (follower.tables.weights.has(role)) continue;
      const request: OperatorRequest = { allowStale: false, call: { $case: "setWeight", value: { role, weight } } };
      this.loop.deliver({ kind: "operator", token: numbers.take(), principal: "", request });
    }
  }
}

function logEnd({ log }: Telemetry, end: LeadershipEnd): void {
  log.info("leadership ended", { end: end.kind });
  if (end.kind === "failed") log.error("a bug ended the leadership", { error: end.error });
  if (end.kind === "intruder") log.error("somebody else writes to the registry", { detail: end.detail });
}

/** Deletes a candidate key for good; where the store does not answer in time, it is a leftover, or the lease ends it. */
export async function removeKey(store: Store, fence: Fence, clock: Clock, telemetry: Telemetry): Promise<void> {
  using bounded = withDeadline(undefined, 2_000, clock);
  await store.remove(fence.candidateKey, fence.createRevision, bounded.signal).catch((error: unknown) => {
    telemetry.log.warn("the candidate key could not be deleted yet", { error });
  });
}
