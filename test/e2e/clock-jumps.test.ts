/** The wall clocks of all hosts are set, far forward and far back, while everything runs. */
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { epochText } from "../../src/base/epoch.ts";
import type { ProcessCluster } from "../support/process-cluster.ts";
import { ownCluster } from "./own-cluster.ts";
import { flaws, jobs, newIds, services } from "./traffic.ts";

const DAY_MS = 86_400_000;
const preload = new URL("../support/wall-clock-shift.ts", import.meta.url).href;

/** Resolves when every running process shows its time shifted by `ms`. */
async function shift({ masters, agents }: ProcessCluster, file: string, ms: number): Promise<void> {
  writeFileSync(file, String(ms));
  const running = [...masters, ...agents].filter((each) => each.running);
  await Promise.all(
    running.map(async (each) => {
      const since = each.stderr.items.length;
      each.kill("SIGUSR2");
      await each.stderr.until(`the clock of ${each.name} shifted`, (lines) => lines.slice(since).includes(`wall clock shifted by ${ms} ms`));
    }),
  );
}

test.serial("11.2 clocks that jump by years cost no task, no leader and no kill its grace", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "mesarch-clocks-"));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "shift");
  const cluster = await ownCluster(t, {
    masters: 2,
    agents: 2,
    etcd: { members: 1 },
    env: { NODE_OPTIONS: `--import=${preload}`, WALL_CLOCK_SHIFT: file },
  });
  await using scheduler = await cluster.scheduler();
  const kept = await services(cluster, scheduler, 3);
  const [stubborn] = newIds("stubborn", 1) as [string];
  await scheduler.launch([cluster.witnesses.task(stubborn, { stubborn: true })]);
  await cluster.witnesses.started([stubborn]);
  const { epoch } = cluster.operator.leader!;

  const done: string[] = [];
  for (const ms of [400 * DAY_MS, -900 * DAY_MS]) {
    await shift(cluster, file, ms);
    done.push(...(await jobs(cluster, scheduler, 6)));
    t.deepEqual(await flaws(cluster, scheduler, done), []);
  }
  const shownAt = cluster.agents.flatMap(({ log }) => log.map(({ time }) => Date.parse(time) - Date.now()));
  t.true(Math.max(...shownAt) > 300 * DAY_MS && Math.min(...shownAt) < -800 * DAY_MS, "the daemons saw the jumps");
  const leader = await cluster.leader();
  t.is(epochText((await cluster.operator.leaderHistory({ limit: 1 }))[0]!.epoch!), epochText(epoch), "nobody was deposed");
  t.deepEqual(leader.log.filter(({ level, msg }) => level === "warn" && msg.includes("mute")), []);

  const orderedAt = performance.now();
  await scheduler.kill(stubborn, 2_000);
  await shift(cluster, file, 10 * DAY_MS);
  await scheduler.until(stubborn, "TASK_KILLED");
  t.true(performance.now() - orderedAt >= 2_000, "its grace is two seconds that passed");

  await cluster.kill(leader);
  await shift(cluster, file, -10 * DAY_MS);
  await cluster.operator.nextLeader(epoch);
  done.push(...(await jobs(cluster, scheduler, 6)));
  t.deepEqual(await flaws(cluster, scheduler, done), []);
  for (const id of kept) t.true(cluster.witnesses.runs(id) && cluster.witnesses.starts(id).length === 1, id);
});
