import test from "ava";
import { MuteSpells } from "../../src/master/mute-spells.ts";
import { TelemetryRecorder } from "../../src/telemetry/recorder.ts";

function spells() {
  const { log, lines } = new TelemetryRecorder();
  return { mute: new MuteSpells(log), told: () => lines.splice(0).map(({ message, fields }) => [message, fields.spells]) };
}

const MUTE = "mute: the registry does not answer";
const AGAIN = "the registry answers again";
const SLOW = "the registry is slow: mute again and again, for a moment each";

test("3.6 a spell is told of when it begins and when it ends", (t) => {
  const { mute, told } = spells();
  mute.begin(0);
  t.true(mute.on);
  t.deepEqual(told(), [[MUTE, undefined]]);
  mute.look(60_000);
  t.deepEqual(told(), [], "and not again");
  mute.end();
  t.false(mute.on);
  t.deepEqual(told(), [[AGAIN, undefined]]);
  mute.begin(60_100);
  mute.end();
  t.deepEqual(told(), [[MUTE, undefined], [AGAIN, undefined]]);
});

test("3.6 a slow store, which makes a spell of every transaction, is told of each ten seconds", (t) => {
  const { mute, told } = spells();
  const slow = (from: number, to: number): void => {
    for (let now = from; now < to; now += 500) {
      mute.begin(now);
      mute.end();
      mute.look(now + 100);
    }
  };
  slow(0, 10_000);
  t.deepEqual(told(), [[MUTE, undefined], [AGAIN, undefined]]);
  slow(10_000, 20_000);
  t.deepEqual(told(), [[MUTE, 20], [AGAIN, undefined]]);
  mute.look(19_999);
  t.deepEqual(told(), []);
  mute.look(20_000);
  t.deepEqual(told(), [[SLOW, 19]]);
  mute.look(90_000);
  t.deepEqual(told(), []);
});

test("3.6 an outage soon after a short spell is told of, too", (t) => {
  const { mute, told } = spells();
  mute.begin(0);
  mute.end();
  told();
  mute.begin(1_000);
  t.deepEqual(told(), []);
  mute.look(10_000);
  t.deepEqual(told(), [[MUTE, undefined]]);
  mute.end();
  t.deepEqual(told(), [[AGAIN, undefined]]);
});
