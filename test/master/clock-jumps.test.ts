/** Bad days of the wall clock: whatever it is set to, masters decide by time that passed (11.1, 11.2). */
import test from "ava";
import { defaultMasterSettings } from "../../src/core/master/settings.ts";
import type { FrameworkRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import { decodeRow } from "../../src/wire/registry-codec.ts";
import { AgentClient, Masters, SchedulerClient } from "./masters.ts";

const DAY_MS = 86_400_000;
/** Forward, back beyond the start, and to the beginning of time. */
const JUMPS_MS = [400 * DAY_MS, -900 * DAY_MS, -1_000_000 * DAY_MS];

function jump({ clock }: Masters, ms: number): void {
  clock.setWall(Math.max(0, clock.wall() + ms));
}

function standing(masters: Masters, frameworkId: string): string | undefined {
  for (const row of masters.server.rows()) {
    const decoded = decodeRow(row);
    if (decoded.kind !== "change" || decoded.change.kind !== "f" || decoded.change.id !== frameworkId) continue;
    return (decoded.change.record as FrameworkRecord).standing?.$case;
  }
  return undefined;
}

test("11.2 a wall clock that jumps deposes nobody, makes nobody mute, and hides no crash", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1", "m2", "m3"]);
  const { master, telemetry } = masters.leader();
  const epoch = master.views.view.epoch!.revision;
  for (const ms of JUMPS_MS) {
    jump(masters, ms);
    await masters.run(1_500);
  }
  t.deepEqual(masters.leaders(), ["m1"]);
  t.is(master.views.view.epoch!.revision, epoch);
  t.deepEqual(telemetry.lines.filter(({ level }) => level === "warn" || level === "error"), []);
  masters.kill("m1");
  jump(masters, DAY_MS);
  await masters.run(100);
  t.deepEqual(masters.leaders().filter((name) => name !== "m1"), ["m2"]);
  // Until its trace is told.
  await masters.run(11_000);
  const phases = masters.node("m2").telemetry.measurements.filter(({ name, attributes }) => name === "mesarch.failover.duration" && attributes["phase"] === "loaded");
  t.true(phases.length === 1 && phases[0]!.value < 0.1);
});

test("11.1 a framework's failover timeout is time that passed, whatever the wall clock shows", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"]);
  const framework = new SchedulerClient(masters.leader(), "f1");
  await masters.run(100);
  t.true(framework.subscribed);
  framework.disconnect();
  await masters.run(1_000);
  for (const ms of JUMPS_MS) {
    jump(masters, ms);
    await masters.run(18_000);
    t.is(standing(masters, "f1"), "disconnectedAt");
  }
  // Of its 60 seconds, 55 have passed; rows are counted in whole ones.
  jump(masters, -DAY_MS);
  await masters.run(7_000);
  t.not(standing(masters, "f1"), "disconnectedAt");
});

test("11.2 agents are pinged and given time by what passed, whatever the wall clock shows", async (t) => {
  await using masters = new Masters();
  await masters.start(["m1"], { machine: { ...defaultMasterSettings, agentPingIntervalMs: 1_000, agentPingTimeoutMs: 10_000 } });
  const agent = new AgentClient(masters.leader());
  agent.say({ body: { $case: "greeting", value: { agentId: "", incarnation: { starts: 1, nonce: "n" }, address: "a:1", registrationNonce: "r" } } } as never);
  await masters.run(100);
  t.true(agent.said("lead"));
  const pings = (): number => agent.messages.filter(({ body }) => body?.$case === "ping").length;
  for (const ms of JUMPS_MS) {
    const before = pings();
    jump(masters, ms);
    await masters.run(3_000);
    t.true(pings() - before >= 2 && pings() - before <= 4, `${pings() - before} pings in 3 s after ${ms} ms`);
    t.false(agent.closed);
  }
});
