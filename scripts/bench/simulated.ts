/** Thousands of simulated agents beside a cluster, and what they count. */
import { setTimeout as delay } from "node:timers/promises";
import type { BenchCluster } from "./cluster.ts";
import type { SimulationOptions } from "./simulated-agents.ts";
import type { Counts } from "./simulated-process.ts";

/** Agents that share one connection to each master. */
export const AGENTS_PER_CONNECTION = 1_000;
const AGENTS_PER_PROCESS = 10_000;
const POLL_MS = 50;
const TIMEOUT_MS = 120_000;

export class Simulated {
  readonly count: number;
  readonly pids: number[] = [];
  #latest: Counts[];

  private constructor(count: number, processes: number) {
    this.count = count;
    this.#latest = Array.from({ length: processes }, () => ({ at: 0, confirmed: 0, launches: 0, forgotten: 0 }));
  }

  static async start(cluster: BenchCluster, count: number, options: Partial<SimulationOptions>): Promise<Simulated> {
    const processes = Math.ceil(count / AGENTS_PER_PROCESS);
    const simulated = new Simulated(count, processes);
    for (let i = 0; i < processes; i += 1) {
      const settings: SimulationOptions = {
        masters: cluster.addresses,
        count: Math.min(AGENTS_PER_PROCESS, count - i * AGENTS_PER_PROCESS),
        agentsPerConnection: AGENTS_PER_CONNECTION,
        name: `sim-${i + 1}`,
        ...options,
      };
      const child = await cluster.spawn<Counts>("simulated-process", [JSON.stringify(settings)]);
      simulated.pids.push(child.pid);
      child.onMessage((counts) => void (simulated.#latest[i] = counts));
    }
    return simulated;
  }

  /** What all processes said last, summed up; `at` is the latest of their times. */
  get counts(): Counts {
    const sum = (key: "confirmed" | "launches" | "forgotten"): number => this.#latest.reduce((total, each) => total + each[key], 0);
    return {
      at: Math.max(...this.#latest.map(({ at }) => at)),
      confirmed: sum("confirmed"),
      launches: sum("launches"),
      forgotten: sum("forgotten"),
    };
  }

  /** `shown`: how far it is, for people who watch; `details`: what else an error has to tell when it takes too long. */
  async until(condition: (counts: Counts) => boolean, progress: (text: string) => void, shown: () => string, details = (): string => ""): Promise<void> {
    const deadline = performance.now() + TIMEOUT_MS;
    for (let n = 0; !condition(this.counts); n += 1) {
      if (performance.now() > deadline) throw new Error(`after ${TIMEOUT_MS / 1_000} s: ${shown()}; agents count ${JSON.stringify(this.counts)}; ${details()}`);
      if (n % 20 === 0) progress(shown());
      await delay(POLL_MS);
    }
  }

  /** Resolves when the leader has confirmed the books of all. */
  async confirmed(progress: (text: string) => void): Promise<void> {
    await this.until(({ confirmed }) => confirmed === this.count, progress, () => `${this.counts.confirmed} of ${this.count} agents confirmed`);
  }
}
