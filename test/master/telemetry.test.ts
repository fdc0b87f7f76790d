/** What a master tells of itself: gauges, the handover's trace, and lines that name their epoch. */
import test from "ava";
import type { Measurement } from "../../src/telemetry/recorder.ts";
import { Masters, type Node } from "./masters.ts";

async function cluster(names: readonly string[]): Promise<Masters> {
  const masters = new Masters();
  await masters.start(names);
  return masters;
}

function shown({ telemetry }: Node, name: string): Measurement[] {
  return telemetry.readGauges().filter((each) => each.name === name);
}

function value(node: Node, name: string): number | undefined {
  return shown(node, name)[0]?.value;
}

test("gauges: who leads, in which epoch, and what only the leader counts", async (t) => {
  await using masters = await cluster(["a", "b"]);
  // Until the leader has written its record, and with it the head.
  await masters.run(1_000);
  const [a, b] = [masters.node("a"), masters.node("b")];
  t.is(value(a, "mesarch.leader.status"), 1);
  t.is(value(b, "mesarch.leader.status"), 0);
  t.true(value(a, "mesarch.epoch")! > 0);
  t.is(value(b, "mesarch.epoch"), value(a, "mesarch.epoch"));
  t.is(value(b, "mesarch.standby.lag"), 0);
  t.deepEqual(shown(a, "mesarch.standby.lag"), []);
  t.is(value(a, "mesarch.mailbox.depth"), 0);
  t.deepEqual(shown(b, "mesarch.mailbox.depth"), []);
  for (const name of ["mesarch.agents", "mesarch.frameworks"]) {
    t.true(shown(a, name).length > 0 && shown(a, name).every((each) => each.value === 0), name);
    t.deepEqual(shown(b, name), [], name);
  }
  const stopped = a.master.stop();
  await masters.run(200);
  await stopped;
  t.deepEqual(a.telemetry.readGauges(), [], "a master that ended shows nothing");
});

test("a handover is called one even if the key is seen to go before the leader's own word arrives", async (t) => {
  await using masters = await cluster(["a", "b"]);
  // Until the leadership is on record.
  await masters.run(1_000);
  masters.node("a").process.freeze();
  const stopped = masters.node("a").master.stop();
  await masters.run(200);
  await stopped;
  t.like(masters.node("b").telemetry.lines.find(({ message }) => message === "leading")?.fields, { cause: "handover" });
});

test("2.15 a handover is one trace with its phases, and lines of a leadership name its epoch", async (t) => {
  await using masters = await cluster(["a", "b"]);
  const { telemetry, master } = masters.node("a");
  const stopped = master.stop();
  await masters.run(200);
  await stopped;
  t.deepEqual(masters.leaders(), ["b"]);

  const root = telemetry.spans.find(({ name }) => name === "mesarch.handover")!;
  t.like(root.attributes, { "mesarch.handover.order": "stop", "mesarch.master.id": "a" });
  const phases = telemetry.spans.filter(({ parent }) => parent === root.traceparent);
  t.deepEqual(phases.map(({ name }) => name), ["mesarch.handover.successor", "mesarch.handover.drained", "mesarch.handover.key_removed"]);
  for (const [index, { startTime, endTime, ended }] of phases.entries()) {
    t.true(ended);
    t.is(startTime, index === 0 ? root.startTime : phases[index - 1]!.endTime);
    t.true(endTime! >= startTime!);
  }
  t.is(root.endTime, phases.at(-1)!.endTime);

  const epoch = root.attributes["mesarch.epoch"];
  t.regex(String(epoch), /^1-\d+$/);
  for (const message of ["leading", "handing over", "handed over", "leadership ended"]) {
    const line = telemetry.lines.find((each) => each.message === message);
    t.is(line?.fields["epoch"], epoch, message);
  }
  t.is(telemetry.lines.find(({ message }) => message === "handed over")?.fields.traceparent, root.traceparent);
});
