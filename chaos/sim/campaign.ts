/** Many seeds on all cores: workers are handed one seed after the other, so that none waits for a slow one. */
import { type ChildProcess, fork } from "node:child_process";
import { type Judged, judge } from "./judge.ts";
import { drawPlan } from "./plan.ts";

export interface CampaignOptions {
  readonly seeds: Iterable<number>;
  readonly jobs: number;
  readonly durationMs: number;
  readonly onJudged: (judged: Judged) => void;
  /** No more seeds are handed out once this is true. */
  readonly enough: () => boolean;
}

export interface Order {
  readonly seed: number;
  readonly durationMs: number;
}

/** Of so many seeds one is run twice: both times it has to be the same run, event for event. */
const TWICE_EVERY = 20;

/** What a worker does. */
export async function judgeSeed({ seed, durationMs }: Order): Promise<Judged> {
  const plan = drawPlan(seed, durationMs);
  const judged = await judge(plan);
  if (seed % TWICE_EVERY !== 0) return judged;
  const { digest } = await judge(plan);
  if (digest === judged.digest) return judged;
  const what = `the same seed gave two histories: ${judged.digest} and ${digest}`;
  return { ...judged, flaws: [...judged.flaws, { kind: "determinism", what, events: [] }] };
}

/** What a worker says: what became of a seed, or that it was a crash. */
export type Report = { readonly judged: Judged } | { readonly seed: number; readonly crash: string };

/** Resolves when every seed was judged. Rejects if a worker crashes, naming the seed. */
export async function campaign({ seeds, jobs, durationMs, onJudged, enough }: CampaignOptions): Promise<void> {
  const left = seeds[Symbol.iterator]();
  const workers = Array.from({ length: jobs }, () => fork(import.meta.dirname + "/main.ts", ["--worker"], { stdio: ["ignore", "inherit", "inherit", "ipc"] }));
  const stop = (): void => workers.forEach((worker) => worker.kill());
  process.once("exit", stop);
  try {
    await Promise.all(workers.map((worker) => serve(worker, left, durationMs, onJudged, enough)));
  } finally {
    stop();
    process.off("exit", stop);
  }
}

function serve(worker: ChildProcess, left: Iterator<number>, durationMs: number, onJudged: (judged: Judged) => void, enough: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let seed: number | undefined;
    const next = (): void => {
      const taken = enough() ? undefined : left.next();
      if (taken === undefined || taken.done === true) return resolve();
      seed = taken.value;
      worker.send({ seed, durationMs } satisfies Order);
    };
    worker.on("message", (report: Report) => {
      if ("crash" in report) return reject(new Error(`the simulation itself failed on seed ${report.seed}: ${report.crash}`));
      onJudged(report.judged);
      next();
    });
    worker.once("exit", (code, signal) => reject(new Error(`a worker ended (${signal ?? code}) on seed ${seed}`)));
    next();
  });
}
