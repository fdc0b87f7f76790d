/** Strikes by plan, undoes what it did, and in the end heals whatever was done. */
import { setTimeout as delay } from "node:timers/promises";
import type { Recorder } from "../../history/recorder.ts";
import { monotonicMs } from "../monotonic.ts";
import { NobodyToStrike, type Struck, type World } from "./fault.ts";
import type { PlannedFault, Round } from "./plan.ts";

export interface NemesisOptions {
  readonly world: World;
  readonly recorder: Recorder;
  readonly tell: (line: string) => void;
  /** Ends the play early; what is on is undone. */
  readonly signal: AbortSignal;
}

/** What overlaps with others has no recovery time of its own. */
export const AMID_OTHERS = " amid others";

const SHOWN_TARGETS = 3;
const UNDO_TRIES = 5;
const UNDO_PAUSE_MS = 1_000;
/** Longer takes no strike, and no undoing: something hangs, and the run goes on without it. */
const PATIENCE_MS = 300_000;

interface Active {
  readonly name: string;
  readonly struck: Struck;
}

export class Nemesis {
  readonly #options: NemesisOptions;
  readonly #active = new Set<Active>();
  struck = 0;

  constructor(options: NemesisOptions) {
    this.#options = options;
  }

  /** Whether something was done to this daemon that it may not bear. */
  mayFail(daemon: string): boolean {
    return [...this.#active].some(({ struck }) => struck.mayFail?.includes(daemon) === true || struck.targets.includes(`host/${daemon.split("/")[1]}`));
  }

  /** Resolves when all faults of the round are undone. What cannot be done or undone is a complaint: the run goes on. */
  async play({ faults }: Round): Promise<void> {
    const suffix = faults.length > 1 ? AMID_OTHERS : "";
    const outcomes = await Promise.allSettled(faults.map((fault) => this.#one(fault, `${fault.kind.name}${suffix}`)));
    const problems = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [String(outcome.reason)] : []));
    if (problems.length > 0) await this.healAll().catch((error: unknown) => problems.push(String(error)));
    for (const problem of problems) this.#options.world.complain("nemesis", problem);
  }

  /** Undoes what is on, then everything that anything could have done. Rejects with all that could not be undone. */
  async healAll(): Promise<void> {
    const problems: unknown[] = [];
    for (const active of [...this.#active].reverse()) await this.#undo(active).catch((error: unknown) => problems.push(error));
    await this.#whole().catch((error: unknown) => problems.push(error));
    if (problems.length > 0) throw new AggregateError(problems, `not healed: ${problems.map(String).join("; ")}`);
  }

  async #one({ kind, afterMs, forMs, chance }: PlannedFault, name: string): Promise<void> {
    const { world, recorder, tell, signal } = this.#options;
    await delay(afterMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    // Before it is done: what follows from it must not come before it in the history.
    const at = monotonicMs();
    let struck: Struck;
    try {
      struck = await patiently(kind.strike(world, chance));
    } catch (error) {
      if (!(error instanceof NobodyToStrike)) throw new Error(`${name} failed: ${String(error)}`, { cause: error });
      return tell(`${name}: ${error.message}`);
    }
    const active = { name, struck };
    this.#active.add(active);
    this.struck += 1;
    recorder.record({ t: at, actor: "nemesis", kind: "fault", op: "fault", value: { name, targets: struck.targets, on: true } });
    tell(`${name}: ${inShort(struck.targets)} for ${(forMs / 1_000).toFixed(1)} s`);
    await delay(forMs, undefined, { signal }).catch(() => {});
    await this.#undo(active);
  }

  async #undo(active: Active): Promise<void> {
    const { name, struck } = active;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await patiently(struck.undo());
        break;
      } catch (error) {
        if (attempt === UNDO_TRIES) throw new Error(`${name} could not be undone: ${String(error)}`, { cause: error });
        await delay(UNDO_PAUSE_MS);
      }
    }
    this.#active.delete(active);
    this.#options.recorder.record({ actor: "nemesis", kind: "fault", op: "fault", value: { name, targets: struck.targets, on: false } });
  }

  /** Whatever several faults did to one another: all links are whole, and everything runs. */
  async #whole(): Promise<void> {
    const { cluster } = this.#options.world;
    await cluster.network.firewall?.healAll();
    for (const { disk } of [...cluster.agents, ...cluster.etcd.members]) disk?.makeRoom();
    for (const daemon of cluster.daemons) {
      daemon.prefix = [];
      daemon.resume();
      daemon.start();
    }
  }
}

async function patiently<T>(act: Promise<T>): Promise<T> {
  const done = new AbortController();
  const tooLate = delay(PATIENCE_MS, undefined, { signal: done.signal }).then(() => {
    throw new Error(`it takes longer than ${PATIENCE_MS / 1_000} s`);
  });
  try {
    return await Promise.race([act, tooLate]);
  } finally {
    tooLate.catch(() => {}); // given up
    done.abort();
  }
}

function inShort(targets: readonly string[]): string {
  const more = targets.length - SHOWN_TARGETS;
  return `${targets.slice(0, SHOWN_TARGETS).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
