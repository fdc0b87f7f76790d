/**
 * A master process: follows the registry, queues for leadership, leads, and steps back in place. One scope per role.
 * Knows no transport: the doors are handed the `api` objects, the stores and links come as ports.
 */
import { anySignal, delay, withDeadline } from "../async/abort.ts";
import type { Clock } from "../async/clock.ts";
import { Scope } from "../async/scope.ts";
import { AgentSessions } from "../api/agent-sessions.ts";
import { type LeaderHint, Numbers } from "../api/leadership.ts";
import { LeaderViews } from "../api/leader-views.ts";
import { OperatorCalls } from "../api/operator-calls.ts";
import { SchedulerSessions } from "../api/scheduler-sessions.ts";
import { epochText } from "../base/epoch.ts";
import { MesarchError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { DrillFaults } from "../ports/drill-faults.ts";
import type { Candidate, Fence, Store } from "../ports/registry.ts";
import { StoreError } from "../ports/store-errors.ts";
import type { PeerLinks } from "../ports/peers.ts";
import { LeaseLost } from "../ports/store-errors.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { PeerHeartbeat } from "../wire/gen/mesarch/v1/peers.ts";
import { CandidateRecord } from "../wire/gen/mesarch/v1/registry.ts";
import { REGISTRY_FORMAT } from "../wire/registry-codec.ts";
import { Campaign, type Victory } from "./campaign.ts";
import { bootstrap, clearOwnName } from "./entrance.ts";
import { Follower } from "./follower.ts";
import { observeMaster } from "./gauges.ts";
import type { LeadershipEnd } from "./leader-contract.ts";
import { Leadership, removeKey } from "./leadership.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { MasterReport } from "./master-report.ts";
import type { MasterOptions } from "./options.ts";
import { rehearse } from "./rehearsal.ts";
import { Watchtower } from "./watchtower.ts";

export interface MasterDeps {
  readonly store: Store;
  readonly peers: PeerLinks;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Default: no operator may crash or hang this process. */
  readonly drills?: DrillFaults | undefined;
}

/** Deposals older than this no longer count (2.12). */
const DEPOSAL_MEMORY_MS = 10 * 60_000;
/** Pause before queueing again after a leadership that ended by a bug or a foreign writer. */
const FAILURE_PAUSE_MS = 5_000;
/** Pause before trying an unreachable store again. */
const STORE_RETRY_MS = 200;

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
  /** Fires when this process leads for the first time. */
  readonly #leads = new AbortController();
  #keySerial = 1;
  #fence: Fence | undefined;
  #campaign: Campaign | undefined;
  #leadership: Leadership | undefined;
  #deposals: number[] = [];
  #candidatesRevision = 0;
  #hint = "";

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
      log: telemetry.log,
      ownState: () => this.#ownState(),
      onChange: () => {
        this.#checkLeader();
        this.#campaign?.poke();
      },
      onPeer: (beat) => this.#peerSaid(beat),
      onUnreadable: (key) =>
        this.#report.alarm(`candidate ${key}`, `candidate key ${key} was not written by a master; delete it in etcd`, telemetry.log),
    });
    this.#report = new MasterReport({
      options,
      clock,
      follower: this.#follower,
      watchtower: this.#watchtower,
      leadership: () => this.#leadership?.loop,
      agentsConnected: () => this.agents.connected,
    });
    this.operators = new OperatorCalls(numbers, {
      answerStale: (request) => this.#report.answerStale(request),
      complete: (response) => this.#report.complete(response),
      stepDown: () => void this.#leadership?.handOver("operator"),
      drills: deps.drills,
    });
    this.done = this.#scope.done;
  }

  /** Begins to follow and to queue. The doors must be open already (2.14). */
  start(): void {
    this.#scope.defer(
      observeMaster(this.#deps.telemetry.instruments, {
        follower: this.#follower,
        leadership: () => this.#leadership?.loop,
        leaderRevision: () => this.#report.leaderRevision(),
      }),
    );
    this.#scope.defer(() => this.views.close());
    this.#scope.defer(() => this.#watchtower[Symbol.asyncDispose]());
    this.#scope.run((signal) => this.#live(signal));
  }

  /** Hands over if it leads, then ends (2.15). */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#leadership !== undefined) await this.#leadership.handOver("stop");
    else if (this.#fence !== undefined) await removeKey(this.#deps.store, this.#fence, this.#deps.clock, this.#deps.telemetry);
    await this.#scope.stop();
    using bounded = withDeadline(undefined, 1_000, this.#deps.clock);
    await this.#deps.store.revokeLease(bounded.signal).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get leading(): boolean {
    return this.#leadership !== undefined;
  }

  async #live(signal: AbortSignal): Promise<void> {
    this.views.clusterIs((await bootstrap(this.#deps, signal)).clusterId);
    await clearOwnName(this.#options, this.#deps, signal);
    this.#scope.run((inner) => this.#lease.run(inner));
    this.#scope.run((inner) => this.#watchCandidates(inner));
    this.#scope.run((inner) => this.#rehearse(inner));
    while (!signal.aborted && !this.#stopping.signal.aborted) await this.#oneRound(signal);
  }

  /** Practises leading, once, unless there is a leadership to attend to. */
  async #rehearse(signal: AbortSignal): Promise<void> {
    using both = anySignal([signal, this.#leads.signal]);
    const { machine, rehearsals } = this.#options;
    await rehearse(machine, this.#deps.random, rehearsals, both.signal);
  }

  /** Follows until it leads or its key is lost; leads until that ends. */
  async #oneRound(signal: AbortSignal): Promise<void> {
    const { log } = this.#deps.telemetry;
    const following = new AbortController();
    using both = anySignal([signal, following.signal]);
    const follow = this.#follow(both.signal);
    const compete = this.#compete(both.signal);
    try {
      const won = await Promise.race([compete, follow]);
      if (won === undefined || this.#fence === undefined) return;
      following.abort();
      const end = await this.#lead(won, this.#fence, signal);
      if (end.kind === "deposed" || end.kind === "expired") this.#deposals.push(this.#deps.clock.now());
      if (end.kind === "failed" || end.kind === "intruder") await delay(FAILURE_PAUSE_MS, signal, this.#deps.clock);
    } catch (error) {
      if (signal.aborted || this.#stopping.signal.aborted) return;
      // The pause must not begin with a key in the queue: it might be elected, and nobody would lead (2.8).
      following.abort();
      await compete.catch(() => {});
      if (this.#fence !== undefined) await removeKey(this.#deps.store, this.#fence, this.#deps.clock, this.#deps.telemetry);
      if (error instanceof MesarchError && error.code === "refused") throw error;
      const bug = !(error instanceof MesarchError) && !(error instanceof StoreError);
      log[bug ? "error" : "warn"]("following, queueing or leading failed; trying again", { error });
      await delay(bug ? FAILURE_PAUSE_MS : STORE_RETRY_MS, signal, this.#deps.clock).catch(() => {});
    } finally {
      following.abort();
      this.#fence = undefined;
      this.#keySerial += 1;
      await Promise.allSettled([follow, compete]);
    }
  }

  /** A key that could not be deleted in time stays in the queue, and nobody would accuse its living owner. */
  async #clearOwnKeys(signal: AbortSignal): Promise<void> {
    const { store } = this.#deps;
    for (const { key, createRevision } of this.#leftOvers(await store.candidates(signal))) await store.remove(key, createRevision, signal);
  }

  /** Older keys of this process: given up while the store did not answer, or made by a late copy of a request (2.8). */
  #leftOvers(candidates: readonly Candidate[]): readonly Candidate[] {
    const own = `cand/${this.#options.name}.${this.#incarnation}.`;
    return candidates.filter(({ key }) => key.startsWith(own) && key !== this.#ownKey);
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
    await this.#clearOwnKeys(signal);
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
    const candidateKey = this.#ownKey;
    const record: CandidateRecord = {
      master: this.#options.name,
      incarnation: this.#incarnation,
      address: this.#options.address,
      version: this.#options.version,
      formats: [REGISTRY_FORMAT],
      deposals: this.#deposals.length,
    };
    const queued = await store.enqueue(candidateKey, CandidateRecord.encode(record).finish(), signal).catch((error: unknown) => {
      if (error instanceof LeaseLost) this.#lease.lost();
      throw error;
    });
    this.#candidatesAre(queued.candidates, queued.revision);
    return { candidateKey, createRevision: queued.createRevision };
  }

  /** Leads until the leadership is over; the key it led on is then gone for good (2.8). */
  async #lead(victory: Victory, fence: Fence, signal: AbortSignal): Promise<LeadershipEnd> {
    const { store, clock, telemetry, random } = this.#deps;
    const leadership = new Leadership(
      {
        options: this.#options,
        store,
        clock,
        random,
        telemetry,
        follower: this.#follower,
        watchtower: this.#watchtower,
        lease: this.#lease,
        report: this.#report,
        doors: this,
        numbers: this.#numbers,
      },
      victory,
      fence,
    );
    this.#leaderIs(undefined);
    this.#leads.abort();
    this.#leadership = leadership;
    try {
      return await leadership.serve(signal);
    } finally {
      this.#leadership = undefined;
      this.#fence = undefined;
      this.#keySerial += 1;
      this.#hint = "";
      this.#watchtower.beat();
      await removeKey(store, fence, clock, telemetry);
    }
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
    this.#removeLeftOvers(candidates);
    this.#checkLeader();
    this.#campaign?.poke();
  }

  /** The key this process is queued with, or queues with next. */
  get #ownKey(): string {
    return `cand/${this.#options.name}.${this.#incarnation}.${this.#keySerial}`;
  }

  /** What fails is tried at the next sight of them; our lease keeps them, and they would stand before everybody. */
  #removeLeftOvers(candidates: readonly Candidate[]): void {
    if (this.#stopping.signal.aborted) return;
    const { store, clock, telemetry } = this.#deps;
    for (const { key, createRevision } of this.#leftOvers(candidates)) void removeKey(store, { candidateKey: key, createRevision }, clock, telemetry);
  }

  #peerSaid(beat: PeerHeartbeat): void {
    this.#report.peer(beat);
    if (this.#leadership !== undefined) return;
    const leader = this.views.view;
    if (beat.leading !== undefined && !beat.handingOver) {
      const hint: LeaderHint = { master: beat.master, address: beat.address, epoch: beat.leading };
      this.#leaderIs(hint);
    } else if (leader.leader === beat.master) this.#leaderIs(undefined);
  }

  /** A leader whose key is gone, or who is dead or silent, is not where clients should be sent (10.6). */
  #checkLeader(): void {
    const { leader } = this.views.view;
    if (this.#leadership !== undefined || leader === "") return;
    const queued = this.#watchtower.candidates.find(({ record }) => record.master === leader);
    const verdict = queued === undefined ? "dead" : this.#watchtower.verdictOn(queued);
    if (verdict === "dead" || verdict === "silent") this.#leaderIs(undefined);
  }

  #leaderIs(hint: LeaderHint | undefined): void {
    // Heartbeats repeat it ten times a second; every agent and framework is told of changes only.
    const text = hint === undefined ? "" : `${hint.master} ${hint.address} ${epochText(hint.epoch)}`;
    if (text === this.#hint) return;
    this.#hint = text;
    this.views.leaderIs(hint);
    this.agents.leaderIs(hint);
    this.schedulers.leaderIs(hint);
    this.operators.leaderIs(hint);
  }

  #ownState() {
    const now = this.#deps.clock.now();
    const loop = this.#leadership?.loop;
    return {
      master: this.#options.name,
      incarnation: this.#incarnation,
      candidateKey: this.#fence?.candidateKey ?? "",
      candidateRevision: this.#fence?.createRevision ?? 0,
      leading: loop === undefined ? undefined : { ...loop.epoch },
      foldedRevision: loop?.revision ?? this.#follower.revision,
      stuckMs: Math.round(loop?.stuckMs(now) ?? 0),
      agentsConnected: this.agents.connected,
      handingOver: this.#leadership?.drained ?? false,
      clusterId: this.#follower.tables.meta?.clusterId ?? "",
      address: this.#options.address,
    };
  }

}
