/** The course of every run: the cluster comes up, rests, is broken, is healed, rests, is read a last time, and is judged. */
import { setTimeout as delay } from "node:timers/promises";
import type { Belongings } from "./belongings.ts";
import { conclude, type Ending } from "./conclusion.ts";
import type { Paces } from "./expectations.ts";
import { Nemesis } from "./nemesis/nemesis.ts";
import { ObservedCluster, type ObservedOptions } from "./observed-cluster.ts";
import { networkOf, type Stage } from "./stage.ts";

/** Where a run takes place. */
export interface Performance {
  readonly stage: Stage;
  readonly belongings: Belongings;
  readonly tell: (line: string) => void;
  /** Told to stop: what is broken is healed, and the run is judged by what there was. */
  readonly signal: AbortSignal;
}

export interface Piece
  extends Pick<Ending, "order" | "kinds" | "settings" | "paces" | "workload" | "demanded" | "bounds">,
    Pick<ObservedOptions, "agentFlags" | "previous" | "disks" | "ownBoot" | "fakeTime" | "play"> {
  /** What is done to the cluster; `answersAgain` resolves when one more launch is durable, or it takes too long. */
  readonly chaos: (nemesis: Nemesis, answersAgain: () => Promise<void>, observed: ObservedCluster) => Promise<void>;
}

/** All hosts are of one kind and version, on the machine's own disks and clock. */
export const PLAIN_HOSTS = { previous: undefined, disks: false, ownBoot: false, fakeTime: undefined } as const;
/** What an agent offers where the run does not depend on it. */
export const USUAL_RESOURCES = "--resources=cpus:4;mem:4096;disk:4096;ports:[31000-31999]";

const START_MS = 90_000;
/** Healed, the cluster has as long to give everybody what they want. */
const CONTENT_MS = 90_000;
const RECOVERY_MS = 20_000;
const LOOK_MS = 100;
/** After the last readings, so that whoever still lives has said so. */
const LAST_MS = 1_500;

/** Resolves with the exit code. */
export async function perform({ stage, belongings, tell, signal }: Performance, piece: Piece): Promise<number> {
  let nemesis: Nemesis | undefined;
  const observed = await ObservedCluster.start({
    ...piece,
    size: piece.order.size,
    built: piece.order.built,
    network: await networkOf(stage, piece.order.size),
    belongings,
    report: stage.report,
    mayFail: (daemon) => nemesis?.mayFail(daemon) ?? false,
    tell,
  });
  nemesis = new Nemesis({ world: observed.world, recorder: observed.recorder, tell, signal });
  observed.phase("quiet");
  const missing = await observed.untilContent(START_MS, { underWay: true });
  if (missing.length > 0) throw new Error(`the cluster did not come up: ${missing.join("; ")}`);
  await delay(piece.paces.quietMs, undefined, { signal }).catch(() => {});
  await observed.sampler.atRest();
  observed.phase("chaos");
  observed.sampler.begin();
  const complain = (error: unknown): void => observed.complain("nemesis", error instanceof Error ? (error.stack ?? error.message) : String(error));
  await piece.chaos(nemesis, () => answersAgain(observed, signal), observed).catch(complain);
  await nemesis.healAll().catch(complain);
  await rest(observed, piece.paces);
  const endAt = await observed.close();
  return conclude({ ...piece, stage, observed, endAt, tell });
}

async function rest(observed: ObservedCluster, { settleMs, restMs }: Paces): Promise<void> {
  observed.phase("healed");
  const healedAt = performance.now();
  observed.cluster.order("settle");
  observed.wishes(await observed.untilContent(CONTENT_MS));
  await delay(Math.max(0, settleMs - (performance.now() - healedAt)));
  observed.sampler.end();
  observed.phase("settled");
  const restUntil = performance.now() + restMs;
  do await observed.sampler.atRest();
  while (performance.now() < restUntil);
  observed.phase("final");
  await observed.readAll();
  await delay(LAST_MS);
}

async function answersAgain({ cluster }: ObservedCluster, signal: AbortSignal): Promise<void> {
  const launched = (): number => cluster.frameworks.reduce((sum, { state }) => sum + (state?.launched ?? 0), 0);
  const before = launched();
  const deadline = performance.now() + RECOVERY_MS;
  while (launched() <= before && performance.now() < deadline && !signal.aborted) await delay(LOOK_MS);
}
