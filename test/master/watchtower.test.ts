/** The watchtower's own clock and wires: pauses of this process, and what strangers send. */
import { setImmediate as turn } from "node:timers/promises";
import test from "ava";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { defaultSuspicionSettings } from "../../src/core/election/suspicion.ts";
import { Watchtower } from "../../src/master/watchtower.ts";
import type { PeerLinks, PeerListener } from "../../src/ports/peers.ts";
import { TelemetryRecorder } from "../../src/telemetry/recorder.ts";
import { PeerHeartbeat } from "../../src/wire/gen/mesarch/v1/peers.ts";
import { CandidateRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";

/** Time may also pass while this process does not run: no timer fires meanwhile. */
class PausingClock extends ManualClock {
  #paused = 0;

  override now(): number {
    return super.now() + this.#paused;
  }

  pause(ms: number): void {
    this.#paused += ms;
  }
}

class FakeLinks implements PeerLinks {
  listener!: PeerListener;
  readonly probed: string[] = [];
  outcome: "refused" | "accepted" = "accepted";

  listen(listener: PeerListener): void {
    this.listener = listener;
  }

  async probe(address: string): Promise<"refused" | "accepted"> {
    this.probed.push(address);
    return this.outcome;
  }

  connect(): void {}
  broadcast(): void {}
  async [Symbol.asyncDispose](): Promise<void> {}
}

const keyOf = (master: string): string => `cand/${master}.${master}-i1.1`;

const candidate = (master: string, createRevision: number) => ({
  key: keyOf(master),
  createRevision,
  value: CandidateRecord.encode(CandidateRecord.fromPartial({ master, incarnation: `${master}-i1`, address: `${master}:6050` })).finish(),
});

const beatOf = (master: string, more: object = {}): PeerHeartbeat =>
  PeerHeartbeat.fromPartial({ master, incarnation: `${master}-i1`, candidateKey: keyOf(master), address: `${master}:6050`, ...more });

/** Of m2; m1 leads, and both are queued. */
function watchtower() {
  const clock = new PausingClock(10_000);
  const links = new FakeLinks();
  const peers: PeerHeartbeat[] = [];
  const tower = new Watchtower({
    self: { master: "m2", incarnation: "m2-i1", address: "m2:6050" },
    links,
    clock,
    heartbeatMs: 100,
    suspicion: defaultSuspicionSettings,
    log: new TelemetryRecorder().log,
    ownState: () => beatOf("m2"),
    onChange: () => {},
    onUnreadable: () => {},
    onPeer: (beat) => void peers.push(beat),
  });
  tower.candidatesAre([candidate("m1", 5), candidate("m2", 6)]);
  /** Both masters run for this long. */
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      if (passed % 100 === 0) links.listener.heard(beatOf("m1"));
      clock.advance(10);
      await turn();
    }
  };
  return { clock, links, tower, peers, run };
}

test("2.9 after a pause of this process the others are not silent, whatever is looked at first", async (t) => {
  for (const first of ["deposable", "verdict"] as const) {
    const { clock, tower, run } = watchtower();
    await run(1_000);
    clock.pause(1_000);
    const m1 = tower.candidates[0]!;
    if (first === "deposable") t.deepEqual([...tower.deposable()], []);
    t.is(tower.verdictOn(m1), "alive");
    t.deepEqual([...tower.deposable()], []);
    for (let passed = 0; passed <= 400; passed += 10) clock.advance(10);
    t.is(tower.verdictOn(m1), "silent", "silence counts from the end of the pause");
    t.deepEqual([...tower.deposable()], [m1.key]);
  }
});

test("2.9 a closed link is followed to the address its master queued with, and nowhere else", async (t) => {
  const { clock, links, tower, run } = watchtower();
  await run(200);
  links.listener.closed("m1", "m1-i1");
  await turn();
  t.deepEqual(links.probed, ["m1:6050"]);
  links.outcome = "refused";
  clock.advance(10);
  await turn();
  t.is(tower.verdictOn(tower.candidates[0]!), "dead");
});

test("13.4 names that nobody is queued under cost no probe, and are told nobody", async (t) => {
  const { links, peers, run } = watchtower();
  for (let i = 0; i < 1_000; i += 1) {
    links.listener.heard(beatOf(`forged${i}`, { leading: { generation: 1, revision: i } }));
    links.listener.closed(`forged${i}`, `forged${i}-i1`);
  }
  await run(300);
  t.deepEqual(links.probed, []);
  t.true(peers.length > 0 && peers.every(({ master }) => master === "m1"));
});

test("13.4 a link that closes again and again is probed some times a second", async (t) => {
  const { clock, links, run } = watchtower();
  await run(200);
  for (let passed = 0; passed < 1_000; passed += 1) {
    links.listener.closed("m1", "m1-i1");
    clock.advance(1);
    await turn();
  }
  t.true(links.probed.length >= 7 && links.probed.length <= 60, `${links.probed.length} probes`);
});
