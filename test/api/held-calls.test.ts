/** What a standby holds while nobody leads (10.6). */
import test from "ava";
import { Numbers } from "../../src/api/leadership.ts";
import { SchedulerSessions } from "../../src/api/scheduler-sessions.ts";
import { ManualClock } from "../../src/async/manual-clock.ts";
import type { Input } from "../../src/core/master/input.ts";
import { limits } from "../../src/model/limits.ts";
import { TelemetryRecorder } from "../../src/telemetry/recorder.ts";
import { Call, Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";

class Standby {
  readonly clock = new ManualClock();
  readonly inputs: Input[] = [];
  readonly schedulers = new SchedulerSessions(new Numbers(), this.clock, new TelemetryRecorder());

  lead(): void {
    const submit = (input: Input): boolean => this.inputs.push(input) > 0;
    this.schedulers.begin({ epoch: { generation: 1, revision: 1 }, clusterId: "c", submit, deliver: submit });
  }

  /** What became of a SUBSCRIBE whose framework's name has so many characters. */
  subscribe(name = 1): { told: string[]; closed: boolean; close(): void } {
    const told: string[] = [];
    const client = { told, closed: false, close: () => stream.closed(false) };
    const stream = this.schedulers.open(
      { send: ({ item }) => void told.push(item?.$case === "notLeading" ? `leader: ${item.value.leaderAddress}` : item!.$case), close: () => (client.closed = true) },
      "",
    );
    const call = Call.fromPartial({ type: Call_Type.SUBSCRIBE, subscribe: { frameworkInfo: { user: "u", name: "n".repeat(name) } } });
    stream.calls([{ number: 1, call, traceparent: "" }]);
    return client;
  }

  subscribeAll(count: number, name?: number) {
    return Array.from({ length: count }, () => this.subscribe(name));
  }
}

const refused = { told: ["leader: "], closed: true };
const shown = ({ told, closed }: { told: string[]; closed: boolean }) => ({ told, closed });

test("10.6 1,000 subscriptions are held, more are refused; a place that is given up is taken", (t) => {
  const standby = new Standby();
  const held = standby.subscribeAll(limits.heldCalls);
  t.deepEqual(shown(standby.subscribe()), refused);
  t.true(held.every(({ told, closed }) => told.length === 0 && !closed));
  held[0]!.close();
  const last = standby.subscribe();
  t.false(last.closed);
  t.true(standby.subscribe().closed);
  standby.lead();
  t.is(standby.inputs.length, limits.heldCalls);
  t.true(standby.inputs.every(({ kind }) => kind === "subscribe"));
});

test("10.6 however few they are, 16 MiB of them are held, and a place that is given up counts no longer", (t) => {
  const standby = new Standby();
  const size = 1024 * 1024;
  const held = standby.subscribeAll(15, size);
  t.true(held.every(({ closed }) => !closed));
  t.deepEqual(shown(standby.subscribe(size)), refused, "with what is around it, a little above 16 MiB");
  t.false(standby.subscribe().closed);
  held[0]!.close();
  t.false(standby.subscribe(size).closed);
  standby.lead();
  t.is(standby.inputs.length, 16);
});

test("10.6 a subscription is held for 2 s", (t) => {
  const standby = new Standby();
  const early = standby.subscribe();
  standby.clock.advance(1_000);
  const late = standby.subscribe();
  standby.clock.advance(999);
  t.false(early.closed);
  standby.clock.advance(1);
  t.deepEqual(shown(early), refused);
  t.false(late.closed);
  standby.lead();
  standby.clock.advance(5_000);
  t.deepEqual(shown(late), { told: [], closed: false });
});

test("10.6 once a leader is known those held are told, and nobody is held any more", (t) => {
  const standby = new Standby();
  const held = standby.subscribeAll(3);
  standby.schedulers.leaderIs({ master: "m2", address: "m2:1", epoch: { generation: 1, revision: 2 } });
  for (const client of [...held, standby.subscribe()]) t.deepEqual(shown(client), { told: ["leader: m2:1"], closed: true });
});
