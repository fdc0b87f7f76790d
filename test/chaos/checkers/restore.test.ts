/** What a restore may lose (13.2), and what it may not, to all checkers. */
import test from "ava";
import { calm, type Story } from "../history-builder.ts";
import { accepted, rejected } from "../verdicts.ts";

/** The store was set back to `to`, and a leader of the next generation is there. */
const restored = (story: Story, to: number): Story => story.restored(to).failsOver("m2", "2-30");
const done = (story: Story): Story => story.after(20_000).phase("final");

test("13.2: an acknowledged launch of after the backup may be lost; one of before it may not", (t) => {
  const story = calm().running("t1").exits("t1");
  const backup = story.revision;
  const lost = (): Story => restored(calm().running("t1").finished("t1").launched("t2"), backup).read();
  accepted(t, lost(), "I6");
  accepted(t, lost(), "I24");
  const before = calm().running("t1");
  const kept = before.revision;
  rejected(t, restored(before.launched("t2"), kept).read({ tasks: {} }), "I24", /read t1 as absent/);
});

test("13.2: what its agent has forgotten meanwhile is gone; what it holds is taken over, once", (t) => {
  const story = calm().running("t1");
  const backup = story.revision;
  const gone = restored(story.finished("t1"), backup).row("t1", { state: "TASK_GONE", settled: true }).toldByMaster("t1", "TASK_GONE");
  accepted(t, done(gone), "I7");
  accepted(t, gone, "I12");

  const early = calm();
  const empty = early.revision;
  const held = restored(early.running("t1"), empty).row("t1", { state: "TASK_RUNNING", uuid: "u-t1-1", seq: 1 });
  accepted(t, held.read().beats("t1", 20_000).phase("final"), "I13");
  accepted(t, held, "I8");
  rejected(t, held.witnessStarts("t1", "L-t1"), "I8", /t1 started on s1 .* and again/);
});

test("13.2: tasks that run and are not taken over are found", (t) => {
  const story = calm();
  const backup = story.revision;
  rejected(t, restored(story.running("t1"), backup).beats("t1", 30_000).phase("final"), "I13", /t1 runs, and the registry has nothing of it/);
});

test("13.2: a kill of after the backup may be forgotten; one of before it may not", (t) => {
  const killed = (): Story => calm().running("t1").kill("t1").row("t1", { killed: true }).ok();
  const after = calm().running("t1").revision;
  const ends = (story: Story): Story => story.beats("t1", 30_000).phase("final");
  accepted(t, ends(restored(killed(), after)), "I13");
  rejected(t, ends(restored(killed(), killed().revision)), "I11", /kill of t1 was acknowledged, and \d+ ms later it has not ended/);
});

test("13.2: an end of after the backup that reaches its framework late may be contradicted; one of before it may not", (t) => {
  const running = calm().running("t1");
  const backup = running.revision;
  const late = restored(running.exits("t1").journals("t1", "TASK_FINISHED").written("t1"), backup).told("t1");
  accepted(t, late.toldByMaster("t1", "TASK_RUNNING"), "I7");
  const ended = calm().running("t1").exits("t1").journals("t1", "TASK_FINISHED").written("t1");
  const known = restored(ended, ended.revision).told("t1");
  rejected(t, known.toldByMaster("t1", "TASK_RUNNING"), "I7", /RUNNING after it had ended as TASK_FINISHED/);
});

test("13.2: a removal may be undone by a restore, and by nothing else", (t) => {
  const story = calm().running("t0").finished("t0");
  const backup = story.revision;
  const removed = story.teardown().framework("f1", "removed").ok();
  accepted(t, restored(removed, backup).subscribes("f1"), "I3");
  const again = calm().teardown().framework("f1", "removed").ok().failsOver("m2", "1-30").framework("f1", "subscribed");
  rejected(t, again, "I21", /f1 was removed, and is subscribed again/);
});

test("13.2: agents that miss what the registry remembers are complained of after a restore only", (t) => {
  const alarm = { of: "m1", message: "agent s1: 2 started tasks are not on it any more" };
  const story = calm().running("t1");
  accepted(t, restored(story, story.revision).observe("complaint", "master/m2", alarm), "complaints");
  rejected(t, calm().observe("complaint", "master/m1", alarm), "complaints", /not on it any more/);
});
