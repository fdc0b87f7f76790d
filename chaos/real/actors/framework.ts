/**
 * The reference framework as a process. Its first argument says as JSON what it plays; orders come, and its wishes go, over
 * node's channel. Writes a history of its own, event by event, so that it may be killed at any moment.
 */
import { setTimeout as delay } from "node:timers/promises";
import { FileSink, Recorder, type Sink } from "../../history/recorder.ts";
import { Chance } from "../../sim/chance.ts";
import { monotonicMs } from "../monotonic.ts";
import { Player, type PlayerOptions, type Wants } from "./player.ts";
import { earlier, recall } from "./recall.ts";

export interface FrameworkPlan {
  /** "f1" */
  readonly name: string;
  readonly seed: number;
  readonly masters: readonly string[];
  readonly failoverTimeoutSeconds: number;
  readonly wants: Wants;
  /** Beside it, short-lived frameworks come, launch a little, meddle with what is its, and are torn down. */
  readonly guests: boolean;
  readonly witnesses: string;
  readonly script: string;
  readonly histories: string;
}

export type FrameworkOrder = "settle" | "teardown";

export interface FrameworkState {
  readonly wishes: readonly string[];
  readonly running: number;
  /** Launches that were answered as done. */
  readonly launched: number;
}

const STATE_MS = 200;
const GUEST: Wants = { services: 2, jobs: 0, jobBeats: [1, 1], killEveryMs: undefined, reconcileEveryMs: undefined, forgetsAck: 0 };
const GUEST_STAYS_MS = 4_000;
const GUEST_PAUSE_MS = 3_000;
const GUEST_PATIENCE_MS = 60_000;

function main(plan: FrameworkPlan): void {
  const stem = `framework-${plan.name}.`;
  const known = recall(earlier(plan.histories, stem), plan.name);
  const start = Math.round(monotonicMs());
  const recorder = new Recorder(monotonicMs, promptly(new FileSink(`${plan.histories}/${stem}${start}.jsonl`)));
  const options = (id: string, wants: Wants, failoverTimeoutSeconds: number): PlayerOptions => ({
    framework: { id, masters: plan.masters, failoverTimeoutSeconds },
    wants,
    recorder,
    chance: new Chance(plan.seed, `${id}/${start}`),
    witnesses: plan.witnesses,
    script: plan.script,
    prefix: id === plan.name ? `${id}-${start}` : id,
    known: id === plan.name ? known : [],
  });
  const player = new Player(options(plan.name, plan.wants, plan.failoverTimeoutSeconds));
  let working = true;
  let guest: Player | undefined;

  async function guests(): Promise<void> {
    for (let visit = 1; working; visit += 1) {
      guest = new Player(options(`${plan.name}-guest-${start}-${visit}`, GUEST, 60));
      void guest.play();
      const deadline = performance.now() + GUEST_PATIENCE_MS;
      while (guest.wishes.length > 0 && performance.now() < deadline) await delay(TICK);
      guest.meddle(player);
      await delay(GUEST_STAYS_MS);
      await guest.teardown();
      guest = undefined;
      await delay(GUEST_PAUSE_MS);
    }
  }

  void player.play();
  if (plan.guests) void guests();
  setInterval(() => {
    const wishes = [...player.wishes, ...(guest === undefined ? [] : ["a guest is there"])];
    process.send?.({ wishes, running: player.running, launched: player.launched } satisfies FrameworkState);
  }, STATE_MS);
  process.on("message", (order: FrameworkOrder) => {
    working = false;
    player.settle();
    if (order === "teardown") void Promise.all([player.teardownUnrecorded(), guest?.teardownUnrecorded()]).then(() => process.exit(0));
  });
  process.on("disconnect", () => process.exit(0));
}

const TICK = 100;

function promptly(file: FileSink): Sink {
  return {
    write(event) {
      file.write(event);
      file.flush();
    },
    close: () => file.close(),
  };
}

main(JSON.parse(process.argv[2]!) as FrameworkPlan);
