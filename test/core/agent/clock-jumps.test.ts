/** Bad days of the wall clock: it is shown in statuses, and moves nothing an agent does (11.2). */
import test from "ava";
import { AgentWorld, RUNNING, exited, launchId } from "./agent-world.ts";

const DAY_MS = 86_400_000;

/** Lives of tasks with every deadline an agent has, told in short. `jump`: what happens to the wall clock meanwhile. */
function story(jump: (world: AgentWorld) => void): { told: string[]; stamps: number[] } {
  const world = AgentWorld.started();
  const told: string[] = [];
  const stamps: number[] = [];
  const pass = (ms: number): void => {
    jump(world);
    world.pass(ms);
    stamps.push(...world.said("update").map(({ status }) => status?.timestamp ?? 0));
    told.push(`${world.now}:`, ...world.take());
  };
  const link = world.confirmed();
  const seconds = (n: number) => ({ nanoseconds: BigInt(n) * 1_000_000_000n });
  link.launch(1, { task: { maxCompletionTime: seconds(90), killPolicy: { gracePeriod: seconds(7) } } });
  // Its monitor never shows.
  link.launch(2);
  world.step({ kind: "spawned", launchId: launchId(2) });
  pass(10);
  const startedAt = world.now;
  world.run(1, { kind: "running", pid: 7, monitored: true, startedAt });
  link.launch(3);
  world.run(3, RUNNING);
  // Updates nobody acknowledges are repeated; a start takes a minute at most.
  for (let n = 0; n < 16; n += 1) pass(5_000);
  link.kill(3);
  pass(1_000);
  world.run(3, exited(143, true));
  // The completion time is over, and a silent leader's link is closed.
  for (let n = 0; n < 6; n += 1) pass(5_000);
  world.restart({ 1: { kind: "running", pid: 7, monitored: true, startedAt } });
  pass(5_000);
  return { told, stamps };
}

test("11.2 what an agent does, and when, is the same whatever the wall clock is set to", (t) => {
  const { told, stamps } = story(() => {});
  t.true(told.includes("kill 1 7000") && told.some((line) => line.startsWith("cancel 2")) && told.filter((line) => line.startsWith("update 1.1")).length > 2, told.join("\n"));
  let step = 0;
  const jumps = [DAY_MS, -3 * DAY_MS, 400 * DAY_MS, 0, -10_000 * DAY_MS];
  const jumping = story((world) => (world.wallOffset += jumps[(step += 1) % jumps.length]!));
  t.deepEqual(jumping.told, told);
  t.notDeepEqual(jumping.stamps, stamps, "the clock is shown");
});
