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
import { CandidateRecord } from "../wire/gen/mesarch/v1/registry.ts";

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
  /** A peer says it leads, or leads no longer. */
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

export class Watchtower implements AsyncDisposable {
  readonly #options: WatchtowerOptions;
  readonly #suspicion: Suspicion;
  readonly #timer: Timer;
  #candidates: readonly KnownCandidate[] = [];
  /** When the link to an incarnation closed: the first sign of its death. */
  readonly #closedAt = new Map<string, number>();
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
      closed: (master, incarnation, address) => void this.#linkClosed(master, incarnation, address),
    });
    this.#beatLoop();
  }

  /** The candidate set changed. Returns it decoded; candidates whose value does not parse are left out. */
  candidatesAre(candidates: readonly Candidate[]): readonly KnownCandidate[] {
    this.#candidates = candidates.flatMap((candidate) => {
      try {
        const record = CandidateRecord.decode(candidate.value);
        return [{ key: candidate.key, createRevision: candidate.createRevision, record, candidate }];
      } catch {
        this.#options.onUnreadable(candidate.key);
        return [];
      }
    });
    this.#suspicion.candidatesAre(
      this.#candidates.map(({ key, record }) => ({
        key,
        master: record.master,
        incarnation: record.incarnation,
        deposals: record.deposals,
      })),
    );
    const others = this.#candidates.map(({ record }) => record.address).filter((address) => address !== this.#options.self.address);
    this.#options.links.connect(new Set(others));
    this.#reconsider();
    return this.#candidates;
  }

  get candidates(): readonly KnownCandidate[] {
    return this.#candidates;
  }

  /** Keys this master may depose now. */
  deposable(): ReadonlySet<string> {
    return this.#suspicion.deposable(this.#options.clock.now());
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
    return this.#suspicion.verdict(this.#options.clock.now(), { key: candidate.key, master, incarnation, deposals });
  }

  /** When the first sign of a candidate's trouble was seen, monotonic milliseconds: its link closed, or last heard. */
  firstSign(candidate: KnownCandidate): number {
    const now = this.#options.clock.now();
    const lastHeard = now - (this.lastHeardMs(candidate.record.master) ?? 0);
    const closed = this.#closedAt.get(candidate.record.master);
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
    const now = this.#options.clock.now();
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
    this.#noticeStall(clock.now());
    this.#lastBeatAt = clock.now();
    this.beat();
    this.#reconsider();
    this.#cancelBeat = clock.after(heartbeatMs, () => this.#beatLoop());
  }

  /** The heartbeat loop not having run is this process's silence, not the others' (2.9). */
  #noticeStall(now: number): void {
    const { heartbeatMs, suspicion } = this.#options;
    if (now - this.#lastBeatAt <= heartbeatMs + suspicion.silenceMs / 4) return;
    this.#lastBeatAt = now;
    this.#suspicion.stalled(now);
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
    this.#suspicion.heard(this.#options.clock.now(), heartbeat);
    this.#options.onPeer(beat);
    this.#reconsider();
  }

  /**
   * A closed link and a refused connection together prove a process dead; nothing less does. A dying process may close
   * its links a moment before its port, so what is accepted, or reset, is tried again before it is left to silence.
   */
  async #linkClosed(master: string, incarnation: string, address: string): Promise<void> {
    const { clock, links, log } = this.#options;
    const closedAt = clock.now();
    this.#closedAt.set(master, closedAt);
    for (const pause of PROBE_PAUSES_MS) {
      if (pause > 0) await delay(pause, undefined, clock);
      if (this.#closed) return;
      const outcome = await links.probe(address, PROBE_TIMEOUT_MS).catch(() => "silent" as const);
      log.debug(`the link to ${master} closed; a new connection is ${outcome}`);
      if (this.#closed) return;
      if (outcome === "refused") {
        this.#suspicion.provedDead(clock.now(), master, incarnation);
        return this.#reconsider();
      }
    }
  }

  #reconsider(): void {
    if (this.#closed) return;
    const now = this.#options.clock.now();
    this.#noticeStall(now);
    const verdicts = JSON.stringify([...this.#suspicion.verdicts(now)].map(([candidateKey, kind]) => ({ candidateKey, kind: toWire[kind] })));
    if (verdicts !== this.#lastVerdicts) this.beat();
    this.#timer.armAt(this.#suspicion.nextDeadline(now));
    this.#options.onChange();
  }
}
