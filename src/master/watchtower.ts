/**
 * Watches the other masters: sends heartbeats from the main loop, hears theirs, probes those whose link closed, and
 * says whom this master may depose. The judgement is `core/election/suspicion`; here are only its clock and its wires.
 */
import { delay } from "../async/abort.ts";
import type { Clock } from "../async/clock.ts";
import { Timer } from "../async/timer.ts";
import { type HeardHeartbeat, Suspicion, type SuspicionSettings, type VerdictKind } from "../core/election/suspicion.ts";
import type { Candidate } from "../ports/registry.ts";
import type { PeerLinks } from "../ports/peers.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type PeerHeartbeat, Verdict_Kind } from "../wire/gen/mesarch/v1/peers.ts";
import type { CandidateRecord } from "../wire/gen/mesarch/v1/registry.ts";
import { decodeCandidate } from "../wire/registry-codec.ts";

export interface KnownCandidate {
  readonly key: string;
  readonly createRevision: number;
  readonly record: CandidateRecord;
  readonly candidate: Candidate;
}

/** The part of a heartbeat that the master's present state decides. */
export type OwnState = Omit<PeerHeartbeat, "verdicts">;

export interface WatchtowerOptions {
  readonly self: { readonly master: string; readonly incarnation: string; readonly address: string };
  readonly links: PeerLinks;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  readonly suspicion: SuspicionSettings;
  readonly log: Logger;
  readonly ownState: () => OwnState;
  /** A verdict may have changed: look at `deposable()`. */
  readonly onChange: () => void;
  /** A candidate key holds what no master wrote: it blocks the queue until its lease ends or somebody deletes it. */
  readonly onUnreadable: (key: string) => void;
  /** A queued master was heard: it may say that it leads, or leads no longer. */
  readonly onPeer: (beat: PeerHeartbeat) => void;
}

const toWire: { readonly [K in VerdictKind]: Verdict_Kind } = {
  alive: Verdict_Kind.KIND_ALIVE,
  silent: Verdict_Kind.KIND_SILENT,
  dead: Verdict_Kind.KIND_DEAD,
  stuck: Verdict_Kind.KIND_STUCK,
  neverHeard: Verdict_Kind.KIND_NEVER_HEARD,
};
const fromWire = new Map<Verdict_Kind, VerdictKind>(Object.entries(toWire).map(([kind, wire]) => [wire, kind as VerdictKind]));

/** An answer to a connection attempt is a matter of one round trip; later than this it is silence. */
const PROBE_TIMEOUT_MS = 200;
/** Pauses before each attempt to connect to a process whose link closed. */
const PROBE_PAUSES_MS = [0, 2, 5, 10, 20, 40, 80];
/** Where the pauses go on when the link closed again meanwhile: anybody may open one and close it, at any rate. */
const PROBE_AGAIN_FROM = 4;

export class Watchtower implements AsyncDisposable {
  readonly #options: WatchtowerOptions;
  readonly #suspicion: Suspicion;
  readonly #timer: Timer;
  #candidates: readonly KnownCandidate[] = [];
  /** By incarnation of a candidate, when a link to it closed: the first sign of its death. */
  readonly #closedAt = new Map<string, number>();
  /** Incarnations being probed; true: a link to it closed again since. */
  readonly #probing = new Map<string, boolean>();
  #lastVerdicts = "";
  #lastBeatAt: number;
  #cancelBeat: () => void = () => {};
  #closed = false;

  constructor(options: WatchtowerOptions) {
    this.#options = options;
    this.#suspicion = new Suspicion(options.self.master, options.suspicion);
    this.#timer = new Timer(options.clock, () => this.#reconsider());
    this.#lastBeatAt = options.clock.now();
    options.links.listen({
      heard: (beat) => this.#heard(beat),
      closed: (master, incarnation) => this.#linkClosed(master, incarnation),
    });
    this.#beatLoop();
  }

  /** The candidate set changed. What no master wrote is left out. */
  candidatesAre(candidates: readonly Candidate[]): void {
    this.#candidates = candidates.flatMap((candidate) => {
      const { key, createRevision } = candidate;
      const record = decodeCandidate(key, candidate.value);
      if (record === undefined) this.#options.onUnreadable(key);
      return record === undefined ? [] : [{ key, createRevision, record, candidate }];
    });
    this.#suspicion.candidatesAre(
      this.#present(),
      this.#candidates.map(({ key, record }) => ({
        key,
        master: record.master,
        incarnation: record.incarnation,
        deposals: record.deposals,
      })),
    );
    const queued = new Set(this.#candidates.map(({ record }) => record.incarnation));
    for (const incarnation of this.#closedAt.keys()) if (!queued.has(incarnation)) this.#closedAt.delete(incarnation);
    const others = this.#candidates.map(({ record }) => record.address).filter((address) => address !== this.#options.self.address);
    this.#options.links.connect(new Set(others));
    this.#reconsider();
  }

  get candidates(): readonly KnownCandidate[] {
    return this.#candidates;
  }

  /** Keys this master may depose now. */
  deposable(): ReadonlySet<string> {
    return this.#suspicion.deposable(this.#present());
  }

  /** Keys whose holders hand over on purpose. */
  handingOver(): ReadonlySet<string> {
    return this.#suspicion.handingOver();
  }

  /** The leader itself says that its store does not answer (2.11). */
  leaderStuck(): boolean {
    return this.#suspicion.leaderStuck();
  }

  verdictOn(candidate: KnownCandidate): VerdictKind {
    const { master, incarnation, deposals } = candidate.record;
    return this.#suspicion.verdict(this.#present(), { key: candidate.key, master, incarnation, deposals });
  }

  /** When the first sign of a candidate's trouble was seen, monotonic milliseconds: its link closed, or last heard. */
  firstSign(candidate: KnownCandidate): number {
    const now = this.#options.clock.now();
    const lastHeard = now - (this.lastHeardMs(candidate.record.master) ?? 0);
    const closed = this.#closedAt.get(candidate.record.incarnation);
    return closed !== undefined && closed >= lastHeard ? closed : lastHeard;
  }

  barrierPassed(): void {
    this.#suspicion.barrierPassed(this.#options.clock.now());
    this.#reconsider();
  }

  lastHeardMs(master: string): number | undefined {
    return this.#suspicion.lastHeard(this.#options.clock.now(), master);
  }

  /** Sends a heartbeat now: something changed. */
  beat(): void {
    const now = this.#present();
    const verdicts = [...this.#suspicion.verdicts(now)].map(([candidateKey, kind]) => ({ candidateKey, kind: toWire[kind] }));
    this.#lastVerdicts = JSON.stringify(verdicts);
    this.#options.links.broadcast({ ...this.#options.ownState(), verdicts });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#cancelBeat();
    this.#timer.armAt(undefined);
    await this.#options.links[Symbol.asyncDispose]();
  }

  #beatLoop(): void {
    const { clock, heartbeatMs } = this.#options;
    this.#lastBeatAt = this.#present();
    this.beat();
    this.#reconsider();
    this.#cancelBeat = clock.after(heartbeatMs, () => this.#beatLoop());
  }

  /**
   * The time to judge by. The heartbeat loop not having run is this process's silence, not the others' (2.9): after a
   * pause anything may be served before the peers' sockets, so whoever judges asks here.
   */
  #present(): number {
    const { clock, heartbeatMs, suspicion } = this.#options;
    const now = clock.now();
    if (now - this.#lastBeatAt > heartbeatMs + suspicion.silenceMs / 4) {
      this.#lastBeatAt = now;
      this.#suspicion.restartSilence(now);
    }
    return now;
  }

  #heard(beat: PeerHeartbeat): void {
    if (beat.master === this.#options.self.master) return;
    const heartbeat: HeardHeartbeat = {
      master: beat.master,
      incarnation: beat.incarnation,
      candidateKey: beat.candidateKey,
      leading: beat.leading !== undefined,
      stuckMs: beat.stuckMs,
      handingOver: beat.handingOver,
      verdicts: new Map(beat.verdicts.map(({ candidateKey, kind }) => [candidateKey, fromWire.get(kind) ?? "neverHeard"])),
    };
    this.#suspicion.heard(this.#present(), heartbeat);
    if (this.#queued(beat.master, beat.incarnation) !== undefined) this.#options.onPeer(beat);
    this.#reconsider();
  }

  /** The candidate of that process. Anybody may send any name: of others nothing is kept, and nobody is told. */
  #queued(master: string, incarnation: string): CandidateRecord | undefined {
    return this.#candidates.find(({ record }) => record.master === master && record.incarnation === incarnation)?.record;
  }

  #linkClosed(master: string, incarnation: string): void {
    const record = this.#queued(master, incarnation);
    if (record === undefined) return;
    this.#closedAt.set(incarnation, this.#options.clock.now());
    const underWay = this.#probing.has(incarnation);
    this.#probing.set(incarnation, underWay);
    if (!underWay) void this.#probe(record).finally(() => this.#probing.delete(incarnation));
  }

  /**
   * A closed link and a refused connection together prove a process dead; nothing less does. A dying process may close
   * its links a moment before its port, so what is accepted, or reset, is tried again before it is left to silence.
   */
  async #probe({ master, incarnation, address }: CandidateRecord): Promise<void> {
    const { clock, links, log } = this.#options;
    for (let attempt = 0; attempt < PROBE_PAUSES_MS.length; attempt += 1) {
      const pause = PROBE_PAUSES_MS[attempt]!;
      if (pause > 0) await delay(pause, undefined, clock);
      if (this.#closed) return;
      const outcome = await links.probe(address, PROBE_TIMEOUT_MS).catch(() => "silent" as const);
      log.debug(`the link to ${master} closed; a new connection is ${outcome}`);
      if (this.#closed) return;
      if (outcome === "refused") {
        this.#suspicion.provedDead(clock.now(), master, incarnation);
        return this.#reconsider();
      }
      if (this.#probing.get(incarnation) === true) attempt = Math.min(attempt, PROBE_AGAIN_FROM - 1);
      this.#probing.set(incarnation, false);
    }
  }

  #reconsider(): void {
    if (this.#closed) return;
    const now = this.#present();
    const verdicts = JSON.stringify([...this.#suspicion.verdicts(now)].map(([candidateKey, kind]) => ({ candidateKey, kind: toWire[kind] })));
    if (verdicts !== this.#lastVerdicts) this.beat();
    this.#timer.armAt(this.#suspicion.nextDeadline(now));
    this.#options.onChange();
  }
}
