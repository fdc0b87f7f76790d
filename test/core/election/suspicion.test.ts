import test from "ava";
import { defaultSuspicionSettings, type HeardHeartbeat, Suspicion, type Suspect, type VerdictKind } from "../../../src/core/election/suspicion.ts";

/** Three masters: m1 leads, this one is m2, m3 is the other standby. */
const suspect = (master: string, incarnation = `${master}-i1`, deposals = 0): Suspect => ({
  key: `cand/${master}.${incarnation}.1`,
  master,
  incarnation,
  deposals,
});
const m1 = suspect("m1");
const m2 = suspect("m2");
const m3 = suspect("m3");

function beat(from: Suspect, verdicts: Record<string, VerdictKind> = {}, extra: Partial<HeardHeartbeat> = {}): HeardHeartbeat {
  return {
    master: from.master,
    incarnation: from.incarnation,
    candidateKey: from.key,
    leading: from === m1,
    stuckMs: 0,
    handingOver: false,
    verdicts: new Map(Object.entries(verdicts)),
    ...extra,
  };
}

function trio(candidates: Suspect[] = [m1, m2, m3]): Suspicion {
  const suspicion = new Suspicion("m2", defaultSuspicionSettings);
  suspicion.candidatesAre(0, candidates);
  suspicion.heard(0, beat(m1));
  suspicion.heard(0, beat(m3, { [m1.key]: "alive" }));
  return suspicion;
}

const deposes = (suspicion: Suspicion, now: number, who: Suspect): boolean => suspicion.deposable(now).has(who.key);

test("2.10a a dead leader is deposed at once when no voter says alive", (t) => {
  const s = trio();
  s.provedDead(100, "m1", m1.incarnation);
  t.false(deposes(s, 100, m1), "m3 last said alive");
  s.heard(105, beat(m3, { [m1.key]: "dead" }));
  t.true(deposes(s, 105, m1));
});

test("2.10a an old 'alive' of another voter holds the accuser back for 50 ms only", (t) => {
  const s = trio();
  s.provedDead(100, "m1", m1.incarnation);
  t.false(deposes(s, 149, m1));
  t.true(deposes(s, 150, m1));
});

test("2.10a an 'alive' newer than my evidence overrides it: my network is the broken one", (t) => {
  const s = trio();
  s.provedDead(100, "m1", m1.incarnation);
  s.heard(120, beat(m3, { [m1.key]: "alive" }));
  t.false(deposes(s, 400, m1));
});

test("2.10b silence needs a majority of the voters", (t) => {
  const s = trio();
  s.heard(300, beat(m3, { [m1.key]: "alive" }));
  t.is(s.verdict(400, m1), "silent");
  t.false(deposes(s, 400, m1));
  s.heard(410, beat(m3, { [m1.key]: "silent" }));
  t.true(deposes(s, 410, m1));
});

test("2.10 three masters, one dead: the survivor decides alone once the dead one's key is gone", (t) => {
  const s = trio([m1, m2]);
  t.true(deposes(s, 400, m1));
});

test("2.10 who is known to be dead is no voter, though its key is still there", (t) => {
  const s = trio();
  t.false(deposes(s, 400, m1), "m3 has not accused m1");
  s.provedDead(400, "m3", m3.incarnation);
  t.true(deposes(s, 400, m1));
});

test("2.10 two hosts lost in silence at once wait for the lease", (t) => {
  const s = trio();
  t.false(deposes(s, 5_000, m1), "m3 is silent as well, and has not accused m1");
  t.false(deposes(s, 5_000, m3));
});

test("2.9 who never heard the accused on its present key may not accuse it", (t) => {
  const s = new Suspicion("m2", defaultSuspicionSettings);
  s.candidatesAre(0, [m1, m2]);
  t.is(s.verdict(10_000, m1), "neverHeard");
  t.false(deposes(s, 10_000, m1));
});

test("2.9 one who never heard the accused is no voter", (t) => {
  const s = trio();
  s.heard(300, beat(m3, { [m1.key]: "neverHeard" }));
  t.true(deposes(s, 400, m1));
});

test("2.9 a stall of my own is not the others' silence", (t) => {
  const s = trio([m1, m2]);
  s.restartSilence(5_000);
  t.is(s.verdict(5_000, m1), "alive");
  t.true(deposes(s, 5_400, m1));
});

test("2.9 who was not queued was sent no heartbeats: with a new key of one's own silence counts anew, death does not", (t) => {
  const s = trio([m1, m2]);
  s.candidatesAre(100, [m1]);
  t.is(s.verdict(5_000, m1), "silent");
  const again = { ...m2, key: `${m2.key}1` };
  s.candidatesAre(5_000, [m1, again]);
  t.is(s.verdict(5_399, m1), "alive");
  s.candidatesAre(5_300, [m1, again]);
  t.is(s.verdict(5_400, m1), "silent", "the same key restarts nothing");
  s.provedDead(5_400, "m1", m1.incarnation);
  s.candidatesAre(5_500, [m1, m2]);
  t.is(s.verdict(5_500, m1), "dead");
});

test("2.9 another incarnation under the name is death; a fresh key is not judged by an older life", (t) => {
  const s = trio();
  const reborn = suspect("m1", "m1-i2");
  s.candidatesAre(50, [m1, m2, m3, reborn]);
  t.is(s.verdict(50, reborn), "neverHeard");
  s.heard(60, beat(reborn));
  s.heard(60, beat(m3, { [m1.key]: "dead" }));
  t.is(s.verdict(60, m1), "dead");
  t.true(deposes(s, 60, m1));
  t.is(s.verdict(60, reborn), "alive");
});

test("2.9 a late heartbeat of an earlier life changes nothing", (t) => {
  const s = trio();
  const reborn = suspect("m1", "m1-i2");
  s.candidatesAre(50, [m2, m3, reborn]);
  s.heard(60, beat(reborn));
  s.heard(70, beat(m1));
  t.is(s.verdict(80, reborn), "alive");
});

test("2.9 a peer with irregular heartbeats gets more patience", (t) => {
  const s = trio([m1, m2]);
  for (const at of [200, 400, 600, 800]) s.heard(at, beat(m1));
  t.is(s.verdict(1_500, m1), "alive");
  t.is(s.verdict(1_600, m1), "silent");
});

test("2.9 the next silence falls due at its own time, however long another one has lasted", (t) => {
  const s = trio();
  for (let at = 100; at <= 500; at += 100) s.heard(at, beat(m1));
  t.is(s.verdict(500, m3), "silent");
  t.is(s.nextDeadline(500), 900);
  s.provedDead(600, "m1", m1.incarnation);
  t.is(s.nextDeadline(600), 650);
  t.is(s.nextDeadline(650), undefined, "nothing changes by time alone any more");
});

test("2.12 the death of one that was deposed wrongly counts when its silence does", (t) => {
  const wronged = suspect("m1", "m1-i1", 1);
  const s = trio([wronged, m2]);
  s.provedDead(100, "m1", wronged.incarnation);
  t.is(s.nextDeadline(150), 800);
  t.is(s.verdict(800, wronged), "silent");
});

test("2.11 a leader that says it is stuck is deposed once two barriers of mine passed meanwhile", (t) => {
  const s = trio([m1, m2]);
  for (let at = 0; at <= 1_000; at += 100) s.heard(at, beat(m1, {}, { stuckMs: at >= 500 ? at : 0 }));
  s.barrierPassed(600);
  t.false(deposes(s, 600, m1));
  s.barrierPassed(900);
  t.true(deposes(s, 1_000, m1));
});

test("2.12 deposals double the patience and turn dead into silent", (t) => {
  const wronged = suspect("m1", "m1-i1", 2);
  const s = new Suspicion("m2", defaultSuspicionSettings);
  s.candidatesAre(0, [wronged, m2]);
  s.heard(0, beat(wronged));
  s.provedDead(10, "m1", wronged.incarnation);
  t.is(s.verdict(1_599, wronged), "alive");
  t.is(s.verdict(1_600, wronged), "silent");
});

test("2.12 nor is one that was deposed wrongly dead because another incarnation speaks under its name", (t) => {
  const wronged = suspect("m1", "m1-i1", 1);
  const s = trio([wronged, m2]);
  s.heard(60, beat(suspect("m1", "m1-i2")));
  t.not(s.verdict(60, wronged), "dead");
  t.false(deposes(s, 60, wronged));
});

test("2.15 who hands over consents to be replaced", (t) => {
  const s = trio();
  s.heard(10, beat(m1, {}, { handingOver: true }));
  t.true(deposes(s, 10, m1));
});

test("13.4 of names that anybody may send only some are remembered, and never at the cost of a candidate's", (t) => {
  const s = trio();
  for (let i = 0; i < 1_000; i += 1) s.heard(10 + i, beat(suspect(`forged${i}`)));
  let known = 0;
  for (let i = 0; i < 1_000; i += 1) if (s.lastHeard(2_000, `forged${i}`) !== undefined) known += 1;
  t.true(known <= 40, `${known}`);
  t.is(s.lastHeard(2_000, "m1"), 2_000);
  t.is(s.lastHeard(2_000, "m3"), 2_000);
});
