/** Thousands come back at once, and whoever they come back to dies: nobody is given up, and all are back soon. */
import { setTimeout as delay } from "node:timers/promises";
import { Chance } from "../sim/chance.ts";
import { AS_IN_PRODUCTION } from "./expectations.ts";
import { monotonicMs } from "./monotonic.ts";
import { allFaults } from "./nemesis/catalogue.ts";
import type { FaultKind } from "./nemesis/fault.ts";
import type { ObservedCluster } from "./observed-cluster.ts";
import type { HerdOrder } from "./orders.ts";
import { perform, type Performance, PLAIN_HOSTS, USUAL_RESOURCES } from "./performance.ts";

/** For how long each lasts. Who comes back while leaders die again comes back once more. */
const ACTS = [["kill-leader", 3_000], ["kill-successors", 3_000], ["kill-all-masters", 5_000], ["kill-successors", 3_000], ["kill-both-leaders", 3_000]] as const;
const PACES = { quietMs: 5_000, settleMs: 15_000, restMs: 5_000 } as const;
/** Every agent confirmed and every framework subscribed. */
const BACK_MS = 20_000;
const PATIENCE_MS = 120_000;
const BETWEEN_MS = 3_000;
const LOOK_MS = 50;

/** Resolves with the exit code. */
export async function herdRun(order: HerdOrder, performance: Performance): Promise<number> {
  const all = allFaults(AS_IN_PRODUCTION.agentPingTimeoutMs);
  const names = [...new Set(ACTS.map(([name]) => name))];
  return perform(performance, {
    order,
    kinds: names.map((name) => all.find((kind) => kind.name === name)!),
    settings: AS_IN_PRODUCTION,
    paces: PACES,
    workload: "services",
    demanded: names,
    bounds: Object.fromEntries(names.map((name) => [backAfter(name), BACK_MS])),
    agentFlags: [USUAL_RESOURCES],
    ...PLAIN_HOSTS,
    play: {
      seed: order.seed,
      wants: { services: 20, jobs: 1, jobBeats: [2, 4], killEveryMs: undefined, reconcileEveryMs: 5_000, forgetsAck: 0 },
      guests: false,
      failoverTimeoutSeconds: 3_600,
    },
    async chaos(nemesis, answersAgain, observed) {
      for (const [index, [name, forMs]] of ACTS.entries()) {
        if (performance.signal.aborted) return;
        const watch = new Watch(observed, all.find((each) => each.name === name)!);
        await nemesis.play({ number: index + 1, faults: [{ kind: watch.kind, afterMs: 0, forMs, chance: new Chance(order.seed, `${name} ${index}`) }], pauseMs: 0 });
        await Promise.all([answersAgain(), watch.untilBack(performance.tell)]);
        await delay(BETWEEN_MS, undefined, { signal: performance.signal }).catch(() => {});
      }
    },
  });
}

/** Looks on while a fault lasts, and until all are back after it. */
class Watch {
  readonly #observed: ObservedCluster;
  readonly #kind: FaultKind;
  readonly #timer: NodeJS.Timeout;
  /** When it was struck for the last time, or from when on anybody could come back. */
  #from = monotonicMs();
  #lastMissing = 0;

  constructor(observed: ObservedCluster, kind: FaultKind) {
    this.#observed = observed;
    this.#kind = kind;
    this.#timer = setInterval(() => observed.cluster.herdsWishes.length > 0 && (this.#lastMissing = monotonicMs()), LOOK_MS);
  }

  /** The fault, which tells when it is struck and undone. */
  get kind(): FaultKind {
    const strike: FaultKind["strike"] = async (world, chance) => {
      const struck = await this.#kind.strike(world, chance);
      this.#from = monotonicMs();
      const undo = (): Promise<void> => {
        if (this.#kind.answersAfter === "undo") this.#from = monotonicMs();
        return struck.undo();
      };
      return { ...struck, undo };
    };
    return { ...this.#kind, strike };
  }

  async untilBack(tell: (line: string) => void): Promise<void> {
    const fault = backAfter(this.#kind.name);
    const missing = await this.#observed.untilContent(PATIENCE_MS, { underWay: true });
    clearInterval(this.#timer);
    if (missing.length > 0) return this.#observed.complain("herd", `not ${fault} within ${PATIENCE_MS / 1_000} s: ${missing.join("; ")}`);
    const ms = Math.max(0, this.#lastMissing - this.#from);
    this.#observed.recorder.record({ actor: "nemesis", kind: "observe", op: "recovery", value: { fault, ms } });
    tell(`${fault} within ${(ms / 1_000).toFixed(1)} s`);
  }
}

function backAfter(name: string): string {
  return `all of a herd back after ${name}`;
}
