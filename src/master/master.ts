/**
 * A master process: follows the registry, queues for leadership, leads, and steps back in place. One scope per role.
 * Knows no transport: the doors are handed the `api` objects, the stores and links come as ports.
 */
import { anySignal, delay, withDeadline } from "../async/abort.ts";
import type { Clock } from "../async/clock.ts";
import { Scope } from "../async/scope.ts";
import { AgentSessions } from "../api/agent-sessions.ts";
import { type LeaderHint, type LeadershipAccess, Numbers } from "../api/leadership.ts";
import { LeaderViews } from "../api/leader-views.ts";
import { OperatorCalls } from "../api/operator-calls.ts";
import { SchedulerSessions } from "../api/scheduler-sessions.ts";
import { epochText } from "../base/epoch.ts";
import { MesarchError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Output } from "../core/master/output.ts";
import type { Candidate, Fence, Store } from "../ports/registry.ts";
import type { PeerLinks } from "../ports/peers.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { OperatorRequest } from "../wire/gen/mesarch/v1/operator.ts";
import type { PeerHeartbeat } from "../wire/gen/mesarch/v1/peers.ts";
import { CandidateRecord, HeadRecord, MetaRecord } from "../wire/gen/mesarch/v1/registry.ts";
import { REGISTRY_FORMAT, sizeOfChange } from "../wire/registry-codec.ts";
import { Campaign, type Victory } from "./campaign.ts";
import { FailoverRecord } from "./failover-record.ts";
import { Follower } from "./follower.ts";
import { Housekeeping } from "./housekeeping.ts";
import { LeaderLoop, type LeadershipEnd } from "./leader-loop.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { MasterReport } from "./master-report.ts";
import type { MasterOptions } from "./options.ts";
import { Watchtower } from "./watchtower.ts";

export interface MasterDeps {
  readonly store: Store;
  readonly peers: PeerLinks;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
}

/** Deposals older than this no longer count (2.12). */
const DEPOSAL_MEMORY_MS = 10 * 60_000;
/** Pause before queueing again after a leadership that ended by a bug or a foreign writer. */
const FAILURE_PAUSE_MS = 5_000;
/** Pause before trying an unreachable store again. */
const STORE_RETRY_MS = 200;
/** The record of a failover is written when all agents are confirmed, or after this. */
const RECORD_AFTER_MS = 500;
/** When the trace of a failover ends at the latest. */
const FAILOVER_TRACE_MS = 10_000;

export class Master implements AsyncDisposable {
  readonly schedulers: SchedulerSessions;
  readonly agents: AgentSessions;
  readonly operators: OperatorCalls;
  readonly views: LeaderViews;
  /** Rejects when the master cannot go on (another master has its name, the store went back in time). */
  readonly done: Promise<void>;

  readonly #options: MasterOptions;
  readonly #deps: MasterDeps;
  readonly #incarnation: string;
  readonly #scope = new Scope("master");
  readonly #follower: Follower;
  readonly #lease: LeaseKeeper;
  readonly #watchtower: Watchtower;
  readonly #report: MasterReport;
  readonly #numbers = new Numbers();
  readonly #stopping = new AbortController();
  #keySerial = 0;
  #fence: Fence | undefined;
  #campaign: Campaign | undefined;
  #loop: LeaderLoop | undefined;
  #failover: FailoverRecord | undefined;
  #handingOver = false;
  #deposals: number[] = [];
  #candidatesRevision = 0;

  constructor(options: MasterOptions, deps: MasterDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#incarnation = deps.random.hex(8);
    const { clock, telemetry, store, peers } = deps;
    const numbers = this.#numbers;
    this.#follower = new Follower(store, telemetry);
    this.#lease = new LeaseKeeper(store, options.leaseTtlSeconds * 1000, clock, telemetry.log);
    this.schedulers = new SchedulerSessions(numbers, clock, telemetry);
    this.agents = new AgentSessions(numbers);
    this.views = new LeaderViews(options.name, clock);
    this.#watchtower = new Watchtower({
      self: { master: options.name, incarnation: this.#incarnation, address: options.address },
      links: peers,
      clock,
      heartbeatMs: options.heartbeatMs,
      suspicion: options.suspicion,
      ownState: () => this.#ownState(),
      onChange: () => this.#campaign?.poke(),
      onPeer: (beat) => this.#peerSaid(beat),
    });
    this.#report = new MasterReport({
      options,
      clock,
      follower: this.#follower,
      watchtower: this.#watchtower,
      leadership: () => this.#loop,
      agentsConnected: () => this.agents.connected,
    });
    this.operators = new OperatorCalls(numbers, {
      answerStale: (request) => this.#report.answerStale(request),
      complete: (response) => this.#report.complete(response),
      snapshot: () => this.#report.snapshot(),
      stepDown: () => void this.#handOver(),
    });
    this.done = this.#scope.done;
  }

  /** Begins to follow and to queue. The doors must be open already (2.14). */
  start(): void {
    this.#scope.defer(() => this.views.close());
    this.#scope.defer(() => this.#watchtower[Symbol.asyncDispose]());
    this.#scope.run((signal) => this.#live(signal));
  }

  /** Hands over if it leads, then ends (2.15). */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#loop !== undefined) await this.#handOver();
    else if (this.#fence !== undefined) await this.#removeKey(this.#fence);
    await this.#scope.stop();
    using bounded = withDeadline(undefined, 1_000, this.#deps.clock);
    await this.#deps.store.revokeLease(bounded.signal).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get leading(): boolean {
    return this.#loop !== undefined;
  }

  async #live(signal: AbortSignal): Promise<void> {
    await this.#bootstrap(signal);
    await this.#clearOwnName(signal);
    this.#scope.run((inner) => this.#lease.run(inner));
    this.#scope.run((inner) => this.#watchCandidates(inner));
    while (!signal.aborted && !this.#stopping.signal.aborted) await this.#oneRound(signal);
  }

  /** Follows until it leads or its key is lost; leads until that ends. */
  async #oneRound(signal: AbortSignal): Promise<void> {
    const { log } = this.#deps.telemetry;
    const following = new AbortController();
    using both = anySignal([signal, following.signal]);
    const follow = this.#follow(both.signal);
    try {
      const won = await Promise.race([this.#compete(both.signal), follow]);
      if (won === undefined || this.#fence === undefined) return;
      following.abort();
      const end = await this.#lead(won, this.#fence, signal);
      log.info("leadership ended", { end: end.kind });
      if (end.kind === "deposed" || end.kind === "expired") this.#deposals.push(this.#deps.clock.now());
      if (end.kind === "failed") log.error("a bug ended the leadership", { error: end.error });
      if (end.kind === "intruder") log.error("somebody else writes to the registry", { detail: end.detail });
      if (end.kind === "failed" || end.kind === "intruder") await delay(FAILURE_PAUSE_MS, signal, this.#deps.clock);
    } catch (error) {
      if (signal.aborted || this.#stopping.signal.aborted) return;
      if (error instanceof MesarchError && error.code === "refused") throw error;
      log.warn("following or queueing failed; trying again", { error });
      await delay(STORE_RETRY_MS, signal, this.#deps.clock).catch(() => {});
    } finally {
      following.abort();
      await follow.catch(() => {});
    }
  }

  async #follow(signal: AbortSignal): Promise<undefined> {
    await this.#follower.follow(signal, () => this.#folded());
    return undefined;
  }

  #folded(): void {
    this.#campaign?.poke();
  }

  /** Waits to be warm, queues, and campaigns. */
  async #compete(signal: AbortSignal): Promise<Victory | undefined> {
    await this.#follower.reached(1, signal);
    const { store, clock, telemetry } = this.#deps;
    await this.#lease.ensure(signal);
    const fence = await this.#enqueue(signal);
    this.#fence = fence;
    this.#watchtower.beat();
    const campaign = new Campaign(
      {
        store,
        follower: this.#follower,
        watchtower: this.#watchtower,
        lease: this.#lease,
        clock,
        log: telemetry.log,
        canaryMs: this.#options.canaryMs,
        onCandidates: (candidates, revision) => this.#candidatesAre(candidates, revision),
      },
      fence,
    );
    this.#campaign = campaign;
    try {
      const result = await campaign.run(signal);
      if (result.kind === "leading") return result;
      // The key went while this process lives: it was deposed in the queue, or its lease expired.
      this.#fence = undefined;
      this.#deposals.push(clock.now());
      return undefined;
    } finally {
      this.#campaign = undefined;
    }
  }

  async #enqueue(signal: AbortSignal): Promise<Fence> {
    const { store, clock } = this.#deps;
    this.#deposals = this.#deposals.filter((at) => clock.now() - at < DEPOSAL_MEMORY_MS);
    this.#keySerial += 1;
    const candidateKey = `cand/${this.#options.name}.${this.#incarnation}.${this.#keySerial}`;
    const record: CandidateRecord = {
      master: this.#options.name,
      incarnation: this.#incarnation,
      address: this.#options.address,
      version: this.#options.version,
      formats: [REGISTRY_FORMAT],
      deposals: this.#deposals.length,
    };
    const queued = await store.enqueue(candidateKey, CandidateRecord.encode(record).finish(), signal);
    this.#candidatesAre(queued.candidates, queued.revision);
    return { candidateKey, createRevision: queued.createRevision };
  }

  /** Leads until the leadership is over; the key it led on is then gone for good (2.8). */
  async #lead(victory: Victory, fence: Fence, signal: AbortSignal): Promise<LeadershipEnd> {
    const { store, clock, telemetry, random } = this.#deps;
    const options = this.#options;
    const tables = this.#follower.tables;
    const clusterId = tables.meta!.clusterId;
    const loop = new LeaderLoop({
      machine: {
        leadership: {
          generation: this.#generation(),
          revision: fence.createRevision,
          clusterId,
          master: options.name,
          address: options.address,
          since: victory.revision,
          electedAtMs: clock.wall(),
        },
        settings: options.machine,
        random,
        sizeOf: sizeOfChange,
      },
      fence,
      follower: this.#follower,
      registry: store,
      speaker: {
        say: (output, revision) => this.#say(loop, output, revision),
        restart: () => this.#restartStreams(),
      },
      clock,
      telemetry,
      muteAfterMs: options.muteAfterMs,
      expireAfterMs: options.leaseTtlSeconds * 1000,
      canaryMs: options.canaryMs,
      fullRetryMs: options.fullRetryMs,
      onProof: (sentAt) => this.#lease.proved(sentAt),
    });
    this.#loop = loop;
    this.#handingOver = false;
    const access: LeadershipAccess = {
      epoch: loop.epoch,
      clusterId,
      submit: (input) => loop.submit(input),
      deliver: (input) => loop.deliver(input),
    };
    const ended = loop.run();
    // The takeover path (5.1): agents hear `lead`, clients hear where to go, held calls are served. Nothing else here.
    this.agents.begin(access);
    this.schedulers.begin(access);
    this.operators.begin(access);
    this.views.leaderIs({ master: options.name, address: options.address, epoch: loop.epoch });
    this.#watchtower.beat();
    const failover = new FailoverRecord({ clock, telemetry, victory, epoch: loop.epoch, master: options.name, tables });
    this.#failover = failover;
    telemetry.log.info("leading", { epoch: epochText(loop.epoch), cause: failover.record.cause, tasks: tables.tasks.size });
    const housekeeping = new Housekeeping({ options, store, clock, log: telemetry.log, loop, report: this.#report });
    const cancelRecord = clock.after(RECORD_AFTER_MS, () => this.#writeFailover(loop, failover));
    const cancelTrace = clock.after(FAILOVER_TRACE_MS, () => {
      if (failover.close()) this.#writeFailover(loop, failover);
    });
    const onStop = (): void => loop.end({ kind: "handedOver" });
    signal.addEventListener("abort", onStop, { once: true });
    this.#cutOffWatch(loop);
    for (const [role, weight] of options.weights) {
      if (tables.weights.has(role)) continue;
      loop.deliver({ kind: "operator", token: this.#numbers.take(), principal: "", request: setWeight(role, weight) });
    }
    try {
      return await ended;
    } finally {
      signal.removeEventListener("abort", onStop);
      cancelRecord();
      cancelTrace();
      failover.close();
      housekeeping.stop();
      this.#loop = undefined;
      this.#fence = undefined;
      this.#failover = undefined;
      this.agents.end();
      this.schedulers.end();
      this.operators.end();
      this.views.leaderIs(undefined);
      this.#watchtower.beat();
      await this.#removeKey(fence);
    }
  }

  #say(loop: LeaderLoop, output: Output, revision: number): void {
    switch (output.kind) {
      case "event":
      case "closeScheduler":
      case "reply":
        return this.schedulers.say(output, revision);
      case "agent":
      case "closeAgent":
        return this.agents.say(output);
      case "operatorReply":
      case "operatorRefusal":
      case "notice":
      case "handOver":
        return this.operators.say(output, loop.epoch, revision);
      case "alarm":
        return this.#report.alarm(output.cause, output.message, this.#deps.telemetry.log);
      case "milestone":
        if (output.name === "roomAgain") return loop.leaveReadOnly();
        if (this.#failover?.reached(output.name) === true) this.#writeFailover(loop, this.#failover);
    }
  }

  #writeFailover(loop: LeaderLoop, failover: FailoverRecord): void {
    loop.deliver({ kind: "leaderRecord", record: failover.record });
  }

  #restartStreams(): void {
    this.schedulers.cut();
    this.operators.cut();
    this.agents.restart();
  }

  /** Passes leadership on: admits nothing new, says all that is durable, lets the next in line go first (2.15). */
  async #handOver(): Promise<void> {
    const loop = this.#loop;
    const fence = this.#fence;
    if (loop === undefined || fence === undefined || this.#handingOver) {
      await loop?.ended;
      return;
    }
    const { clock, telemetry } = this.#deps;
    await this.#successor();
    this.#handingOver = true;
    try {
      using bounded = withDeadline(undefined, this.#options.muteAfterMs * 2, clock);
      await loop.drain(bounded.signal);
    } catch {
      telemetry.log.warn("handing over with calls still unanswered: the store is slow");
    }
    this.#watchtower.beat();
    await this.#removeKey(fence);
    loop.end({ kind: "handedOver" });
  }

  /** Waits, within the grace, for somebody to hand over to. */
  async #successor(): Promise<void> {
    const until = this.#deps.clock.now() + this.#options.stopGraceMs;
    const others = (): boolean =>
      this.#watchtower.candidates.some((one) => one.record.master !== this.#options.name && this.#watchtower.verdictOn(one) === "alive");
    if (others() || this.#watchtower.candidates.length <= 1) return;
    while (!others() && this.#deps.clock.now() < until) await delay(20, undefined, this.#deps.clock);
  }

  /** A leader that reaches under half as many agents as its best peer is the one cut off (2.16). */
  #cutOffWatch(loop: LeaderLoop): void {
    const { clock, telemetry } = this.#deps;
    let since: number | undefined;
    const look = (): void => {
      if (this.#loop !== loop) return;
      const best = this.#report.bestPeerAgents();
      if (best >= 2 && this.agents.connected * 2 < best) since ??= clock.now();
      else since = undefined;
      if (since !== undefined && clock.now() - since >= this.#options.cutOffMs) {
        telemetry.log.warn("handing over: a peer reaches more than twice as many agents", { own: this.agents.connected, best });
        void this.#handOver();
        return;
      }
      clock.after(1_000, look);
    };
    look();
  }

  async #removeKey(fence: Fence): Promise<void> {
    if (this.#fence === fence) this.#fence = undefined;
    using bounded = withDeadline(undefined, 2_000, this.#deps.clock);
    await this.#deps.store.remove(fence.candidateKey, fence.createRevision, bounded.signal).catch((error: unknown) => {
      this.#deps.telemetry.log.warn("the candidate key could not be deleted; its lease will end it", { error });
    });
  }

  async #watchCandidates(signal: AbortSignal): Promise<void> {
    await this.#deps.store.watchCandidates((candidates, revision) => this.#candidatesAre(candidates, revision), signal);
  }

  /** The candidate set, from a watch (with its revision) or a transaction (newest there is). */
  #candidatesAre(candidates: readonly Candidate[], revision?: number): void {
    if (revision !== undefined) {
      if (revision < this.#candidatesRevision) return;
      this.#candidatesRevision = revision;
    }
    this.#watchtower.candidatesAre(candidates);
    this.#campaign?.poke();
  }

  #peerSaid(beat: PeerHeartbeat): void {
    this.#report.peer(beat);
    if (this.#loop !== undefined) return;
    const leader = this.views.view;
    if (beat.leading !== undefined && !beat.handingOver) {
      const hint: LeaderHint = { master: beat.master, address: beat.address, epoch: beat.leading };
      this.#leaderIs(hint);
    } else if (leader.leader === beat.master) this.#leaderIs(undefined);
  }

  #leaderIs(hint: LeaderHint | undefined): void {
    this.views.leaderIs(hint);
    this.agents.leaderIs(hint);
    this.schedulers.leaderIs(hint);
    this.operators.leaderIs(hint);
  }

  #ownState() {
    const now = this.#deps.clock.now();
    const loop = this.#loop;
    return {
      master: this.#options.name,
      incarnation: this.#incarnation,
      candidateKey: this.#fence?.candidateKey ?? "",
      candidateRevision: this.#fence?.createRevision ?? 0,
      leading: loop === undefined ? undefined : { ...loop.epoch },
      foldedRevision: loop?.revision ?? this.#follower.revision,
      stuckMs: Math.round(loop?.stuckMs(now) ?? 0),
      agentsConnected: this.agents.connected,
      handingOver: this.#handingOver && loop !== undefined,
      clusterId: this.#follower.tables.meta?.clusterId ?? "",
      address: this.#options.address,
    };
  }

  #generation(): number {
    return this.#follower.tables.meta?.generation ?? 1;
  }

  async #bootstrap(signal: AbortSignal): Promise<void> {
    const { store, random, clock, telemetry } = this.#deps;
    const meta: MetaRecord = { clusterId: random.hex(16), generation: 1, format: REGISTRY_FORMAT, lastEpochBefore: undefined };
    const head: HeadRecord = { epoch: undefined, master: "", n: 0, ops: 0, clusterClock: 0 };
    for (let attempt = 0; ; attempt += 1) {
      try {
        const found = await store.bootstrap(MetaRecord.encode(meta).finish(), HeadRecord.encode(head).finish(), signal);
        this.views.clusterIs(MetaRecord.decode(found.meta).clusterId);
        return;
      } catch (error) {
        if (signal.aborted || (error instanceof MesarchError && error.code === "refused")) throw error;
        if (attempt % 25 === 0) telemetry.log.warn("the store does not answer; waiting for it", { error });
        await delay(STORE_RETRY_MS, signal, clock);
      }
    }
  }

  /** Keys of my own name are an earlier life's, or another master's with my name (2.14). */
  async #clearOwnName(signal: AbortSignal): Promise<void> {
    const { store, peers } = this.#deps;
    for (const candidate of await store.candidates(signal)) {
      const record = CandidateRecord.decode(candidate.value);
      if (record.master !== this.#options.name) continue;
      const outcome = record.address === this.#options.address ? "refused" : await peers.probe(record.address, 1_000);
      if (outcome === "accepted") {
        throw new MesarchError("refused", `another master named ${this.#options.name} runs at ${record.address}`, {
          remedy: "give each master a name of its own (--name)",
        });
      }
      if (outcome === "refused") await store.remove(candidate.key, candidate.createRevision, signal);
    }
  }
}

function setWeight(role: string, weight: number): OperatorRequest {
  return { allowStale: false, call: { $case: "setWeight", value: { role, weight } } };
}
