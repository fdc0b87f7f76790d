/**
 * Who of the queued candidates is alive, silent, dead or stuck, in my eyes and in the others', and whom I may
 * therefore depose (2.9-2.13). Pure: told what was heard and when; asked for verdicts.
 *
 * A wrong verdict costs a handover, never a task: the registry's fence does not rest on any of this.
 */
export type VerdictKind = "alive" | "silent" | "dead" | "stuck" | "neverHeard";

/** A candidate key as far as suspicion cares. */
export interface Suspect {
  readonly key: string;
  readonly master: string;
  readonly incarnation: string;
  readonly deposals: number;
}

/** What a peer's heartbeat says. */
export interface HeardHeartbeat {
  readonly master: string;
  readonly incarnation: string;
  readonly candidateKey: string;
  readonly leading: boolean;
  readonly stuckMs: number;
  readonly handingOver: boolean;
  readonly verdicts: ReadonlyMap<string, VerdictKind>;
}

export interface SuspicionSettings {
  /** Least silence before a verdict, milliseconds; a peer with irregular heartbeats gets four times their p99. */
  readonly silenceMs: number;
  /** How long to wait for a contradiction when another voter last said "alive" (2.10). */
  readonly contradictionMs: number;
  /** A leader whose own transaction is unanswered this long counts as stuck, if ours pass (2.11). */
  readonly stuckMs: number;
  /** Least distance of the two own barriers that prove the store works. */
  readonly stuckProofMs: number;
}

export const defaultSuspicionSettings: SuspicionSettings = Object.freeze({
  silenceMs: 400,
  contradictionMs: 50,
  stuckMs: 500,
  stuckProofMs: 300,
});

/** Intervals kept per peer for their p99. */
const INTERVALS = 100;
/** Incarnations remembered per master name. */
const PAST = 16;
/** Names remembered beyond those of candidates: masters that are about to queue. Anybody may send a name. */
const STRANGERS = 32;
/** Verdicts taken from one heartbeat; there are never so many candidates. */
const VERDICTS = 256;

interface Peer {
  readonly incarnation: string;
  key: string;
  /** When something was last heard, and since when the present count of silence runs. */
  heardAt: number;
  /** When this key was first heard of from its holder. */
  keyHeardAt: number | undefined;
  intervals: number[];
  /** Of the intervals; not known since the last one came. */
  p99: number | undefined;
  leading: boolean;
  handingOver: boolean;
  stuckSince: number | undefined;
  /** When closed and refused together proved the process gone. */
  deadAt: number | undefined;
  verdicts: ReadonlyMap<string, VerdictKind>;
  verdictsAt: number;
}

export class Suspicion {
  readonly #self: string;
  readonly #settings: SuspicionSettings;
  /** By master name: the incarnation heard last. */
  readonly #peers = new Map<string, Peer>();
  /** By master name: incarnations heard before that one, newest last. */
  readonly #past = new Map<string, string[]>();
  #candidates: readonly Suspect[] = [];
  /** The key this master was last queued with. */
  #ownKey: string | undefined;
  readonly #barriers: number[] = [];

  /** `self`: name of this master. */
  constructor(self: string, settings: SuspicionSettings) {
    this.#self = self;
    this.#settings = settings;
  }

  /** The candidates as queued, oldest first. Nobody else is sent heartbeats, so with a new key of mine silence counts anew. */
  candidatesAre(now: number, candidates: readonly Suspect[]): void {
    this.#candidates = candidates;
    const own = candidates.findLast(({ master }) => master === this.#self);
    if (own === undefined || own.key === this.#ownKey) return;
    this.#ownKey = own.key;
    this.restartSilence(now);
  }

  heard(now: number, beat: HeardHeartbeat): void {
    let peer = this.#peers.get(beat.master);
    if (this.#past.get(beat.master)?.includes(beat.incarnation)) return;
    if (peer === undefined) this.#makeRoom();
    if (peer === undefined || peer.incarnation !== beat.incarnation) {
      if (peer !== undefined) this.#past.set(beat.master, [...(this.#past.get(beat.master) ?? []), peer.incarnation].slice(-PAST));
      peer = {
        incarnation: beat.incarnation,
        key: "",
        heardAt: now,
        keyHeardAt: undefined,
        intervals: [],
        p99: undefined,
        leading: false,
        handingOver: false,
        stuckSince: undefined,
        deadAt: undefined,
        verdicts: new Map(),
        verdictsAt: now,
      };
      this.#peers.set(beat.master, peer);
    } else {
      peer.intervals.push(now - peer.heardAt);
      peer.p99 = undefined;
      if (peer.intervals.length > INTERVALS) peer.intervals.shift();
    }
    peer.heardAt = now;
    peer.deadAt = undefined;
    if (beat.candidateKey !== peer.key) {
      peer.key = beat.candidateKey;
      peer.keyHeardAt = beat.candidateKey === "" ? undefined : now;
    }
    peer.leading = beat.leading;
    peer.handingOver = beat.handingOver;
    if (!beat.leading || beat.stuckMs < this.#settings.stuckMs) peer.stuckSince = undefined;
    else peer.stuckSince ??= now;
    peer.verdicts = beat.verdicts.size <= VERDICTS ? beat.verdicts : new Map();
    peer.verdictsAt = now;
  }

  /** The session with that incarnation closed, and a new connection was refused or met another incarnation. */
  provedDead(now: number, master: string, incarnation: string): void {
    const peer = this.#peers.get(master);
    if (peer?.incarnation === incarnation) peer.deadAt ??= now;
  }

  /** This process did not run for a while, or was sent no heartbeats: nobody's silence counts from before (2.9). */
  restartSilence(now: number): void {
    for (const peer of this.#peers.values()) if (peer.deadAt === undefined) peer.heardAt = now;
  }

  /** A barrier of mine passed: the store works for me (2.11). */
  barrierPassed(now: number): void {
    this.#barriers.push(now);
    if (this.#barriers.length > 8) this.#barriers.shift();
  }

  /** My verdict on a candidate. */
  verdict(now: number, suspect: Suspect): VerdictKind {
    const peer = this.#peerOf(suspect);
    if (peer === undefined) return this.#replacedBy(suspect) ? "dead" : "neverHeard";
    // Damping: who was deposed wrongly before is only ever called silent (2.12).
    if (peer.deadAt !== undefined) return suspect.deposals > 0 ? this.#silentOrAlive(now, peer, suspect) : "dead";
    if (this.#silentOrAlive(now, peer, suspect) === "silent") return "silent";
    return this.#isStuck(peer) ? "stuck" : "alive";
  }

  /** My verdicts on all others, for my heartbeat. */
  verdicts(now: number): ReadonlyMap<string, VerdictKind> {
    const verdicts = new Map<string, VerdictKind>();
    for (const suspect of this.#candidates) {
      if (suspect.master !== this.#self) verdicts.set(suspect.key, this.verdict(now, suspect));
    }
    return verdicts;
  }

  /** Candidates that consent to be replaced: they said so themselves. */
  handingOver(): ReadonlySet<string> {
    const keys = new Set<string>();
    for (const suspect of this.#candidates) {
      if (this.#peerOf(suspect)?.handingOver === true) keys.add(suspect.key);
    }
    return keys;
  }

  /** Some leader says its own transaction is stuck; more barriers of mine are wanted as proof (2.11). */
  leaderStuck(): boolean {
    for (const peer of this.#peers.values()) if (peer.stuckSince !== undefined) return true;
    return false;
  }

  /** Whom I may depose now (2.10). */
  deposable(now: number): ReadonlySet<string> {
    const deposable = new Set(this.handingOver());
    for (const suspect of this.#candidates) {
      if (suspect.master !== this.#self && this.#mayDepose(now, suspect)) deposable.add(suspect.key);
    }
    return deposable;
  }

  /** When a verdict may change by time alone. */
  nextDeadline(now: number): number | undefined {
    let next = Infinity;
    for (const suspect of this.#candidates) {
      const peer = this.#peerOf(suspect);
      if (peer === undefined) continue;
      const dead = suspect.deposals === 0 ? peer.deadAt : undefined;
      const due = dead === undefined ? peer.heardAt + this.#patience(peer, suspect) : dead + this.#settings.contradictionMs;
      // What is due already changes only with what others say.
      if (due > now) next = Math.min(next, due);
    }
    return next === Infinity ? undefined : next;
  }

  /** How long the peer's heartbeat was last heard ago; undefined if never. */
  lastHeard(now: number, master: string): number | undefined {
    const peer = this.#peers.get(master);
    return peer === undefined ? undefined : now - peer.heardAt;
  }

  /** Forgets whoever was heard longest ago and is no candidate, once too many names are known. */
  #makeRoom(): void {
    if (this.#peers.size < this.#candidates.length + STRANGERS) return;
    const candidates = new Set(this.#candidates.map(({ master }) => master));
    let longest: string | undefined;
    for (const [master, { heardAt }] of this.#peers) {
      if (candidates.has(master)) continue;
      if (longest === undefined || heardAt < this.#peers.get(longest)!.heardAt) longest = master;
    }
    if (longest === undefined) return;
    this.#peers.delete(longest);
    this.#past.delete(longest);
  }

  #mayDepose(now: number, suspect: Suspect): boolean {
    const mine = this.verdict(now, suspect);
    if (mine !== "dead" && mine !== "silent" && mine !== "stuck") return false;
    const others = this.#votersOn(now, suspect);
    if (mine === "dead") {
      const evidenceAt = this.#peerOf(suspect)?.deadAt ?? now;
      const contradicting = others.filter((voter) => voter.verdicts.get(suspect.key) === "alive");
      if (contradicting.length === 0) return true;
      if (now >= evidenceAt + this.#settings.contradictionMs && contradicting.every((voter) => voter.verdictsAt <= evidenceAt)) {
        return true;
      }
    }
    const accusing = others.filter((voter) => {
      const said = voter.verdicts.get(suspect.key);
      return said === "silent" || said === "dead" || said === "stuck";
    });
    return (accusing.length + 1) * 2 > others.length + 1;
  }

  /** Other holders of candidate keys whose word counts on X (2.10); this master is one more. */
  #votersOn(now: number, suspect: Suspect): readonly Peer[] {
    const voters: Peer[] = [];
    for (const candidate of this.#candidates) {
      if (candidate.key === suspect.key || candidate.master === this.#self) continue;
      if (this.verdict(now, candidate) === "dead") continue;
      const peer = this.#peerOf(candidate);
      if (peer === undefined) {
        // Queued but never heard by me: it may well hear X. It counts, as one who has not spoken.
        voters.push(unheard);
        continue;
      }
      if (peer.verdicts.get(suspect.key) !== "neverHeard") voters.push(peer);
    }
    return voters;
  }

  #peerOf(suspect: Suspect): Peer | undefined {
    const peer = this.#peers.get(suspect.master);
    if (peer?.incarnation !== suspect.incarnation) return undefined;
    // Only who heard X on its present key may judge it, so that a cut pair does not swap for ever (2.12).
    return peer.key === suspect.key && peer.keyHeardAt !== undefined ? peer : undefined;
  }

  /** Another incarnation answers under that name: the one that made the key is gone. */
  #replacedBy(suspect: Suspect): boolean {
    return suspect.deposals === 0 && this.#past.get(suspect.master)?.includes(suspect.incarnation) === true;
  }

  #silentOrAlive(now: number, peer: Peer, suspect: Suspect): "silent" | "alive" {
    return now - peer.heardAt >= this.#patience(peer, suspect) ? "silent" : "alive";
  }

  #patience(peer: Peer, suspect: Suspect): number {
    peer.p99 ??= ninetyNinth(peer.intervals);
    return Math.max(this.#settings.silenceMs, 4 * peer.p99) * 2 ** Math.min(suspect.deposals, 6);
  }

  #isStuck(peer: Peer): boolean {
    const since = peer.stuckSince;
    if (since === undefined) return false;
    const after = this.#barriers.filter((at) => at >= since);
    return after.length >= 2 && after.at(-1)! - after[0]! >= this.#settings.stuckProofMs;
  }
}

/** One pass that keeps the few largest: this is asked for with every heartbeat, and sorting all was half of a standby's work. */
function ninetyNinth(intervals: readonly number[]): number {
  const above = intervals.length - 1 - Math.floor((intervals.length - 1) * 0.99);
  const largest: number[] = [];
  for (const interval of intervals) {
    if (largest.length > above && interval <= largest[above]!) continue;
    let at = Math.min(largest.length, above);
    for (; at > 0 && largest[at - 1]! < interval; at -= 1) largest[at] = largest[at - 1]!;
    largest[at] = interval;
  }
  return largest[above] ?? 0;
}

const unheard: Peer = Object.freeze({
  incarnation: "",
  key: "",
  heardAt: 0,
  keyHeardAt: undefined,
  intervals: [],
  p99: 0,
  leading: false,
  handingOver: false,
  stuckSince: undefined,
  deadAt: undefined,
  verdicts: new Map(),
  verdictsAt: 0,
});
