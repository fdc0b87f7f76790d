/** I1, I2, I3, I4 and I5 on histories that break them, and on some that look as if they did. */
import test from "ava";
import { calm, Story } from "../history-builder.ts";
import { accepted, rejected, untested } from "../verdicts.ts";

test("I1: a deposed leader that commits once more is found", (t) => {
  rejected(t, calm().leads("m2", "1-20").commit().leads("m1", "1-5").commit(), "I1", /epoch 1-5 wrote revision 14 after epoch 1-20/);
});

test("I1: a leader that was deposed and leads again has another epoch", (t) => {
  accepted(t, calm().leads("m2", "1-20").commit().leads("m1", "1-30").commit(), "I1");
});

test("I1: two masters of one epoch are found", (t) => {
  const leads = (story: Story, master: string): Story => story.observe("leads", `master/${master}`, { master }, { epoch: "1-5" });
  rejected(t, leads(calm(), "m2"), "I1", /m1 and m2 both are epoch 1-5/);
  accepted(t, leads(calm(), "m1"), "I1");
});

test("I1: a batch that is missing is found", (t) => {
  const story = calm().commit().commit();
  story.events.splice(story.events.length - 2, 1);
  rejected(t, story, "I1", /batch 4 of epoch 1-5 at revision 14 follows batch 2/);
});

test("I1: a batch without one of its rows is found", (t) => {
  const head = { master: "m1", n: 3, rows: [] };
  const at = { epoch: "1-5", revision: 13 };
  rejected(t, calm().observe("commit", "registry", { ...head, ops: 1 }, at), "I1", /announces 1 rows and has 0/);
  accepted(t, calm().observe("commit", "registry", { ...head, ops: 0 }, at), "I1");
});

test("I1: the watcher may tell of batches late and twice, if it tells the same", (t) => {
  const story = calm().commit();
  accepted(t, story.observe("commit", "registry", { master: "m1", n: 3, ops: 0, rows: [] }, { epoch: "1-5", revision: 13 }), "I1");
  rejected(t, story.observe("commit", "registry", { master: "m1", n: 9, ops: 0, rows: [] }, { epoch: "1-5", revision: 13 }), "I1", /two different batches/);
});

test("I1: a generation counts before a revision", (t) => {
  accepted(t, calm().leads("m2", "1-900").commit().leads("m3", "2-20").commit(), "I1");
  rejected(t, calm().leads("m2", "2-20").commit().leads("m3", "1-900").commit(), "I1", /epoch 1-900 wrote/);
});

test("I2: an agent that obeys an older epoch than it has answered is found, across its restart", (t) => {
  rejected(t, calm().obeys("s1", "1-20").starts("s1").obeys("s1", "1-5"), "I2", /agentObeys of epoch 1-5 after it had answered epoch 1-20/);
});

test("I2: a second session with the same leader is no step back", (t) => {
  accepted(t, calm().obeys("s1", "1-20").starts("s1").obeys("s1", "1-20"), "I2");
});

test("I2: an order of a deposed leader that is carried out is found", (t) => {
  const story = calm().launched("t1").leads("m2", "1-20").obeys("s1").kill("t1").row("t1", { killed: true }).ok();
  rejected(t, story.ordered("kill", "t1", "1-5"), "I2", /agentOrdered of epoch 1-5/);
});

test("I2: another agent may be behind", (t) => {
  accepted(t, calm().joins("s2").obeys("s1", "1-20").obeys("s2", "1-5"), "I2");
});

test("I3: a launch that was answered and is written later is found", (t) => {
  const story = calm().offer("o-t1").launch("t1").ok().staged("t1");
  rejected(t, story, "I3", /t1 was acknowledged at revision 12, but is written first at revision 13/);
});

test("I3: a launch that was refused in words needs no row", (t) => {
  accepted(t, calm().launch("t1").toldByMaster("t1", "TASK_DROPPED", "REASON_INVALID_OFFERS").ok(), "I3");
});

test("I3: the registry's watcher may be later than the answer", (t) => {
  const story = calm().offer("o-t1").launch("t1").ok({ revision: 13 }).staged("t1");
  accepted(t, story, "I3");
});

test("I3: an update told before it is written is found, and one written long before is not", (t) => {
  const story = (): Story => calm().launched("t1").witnessStarts("t1").journals("t1", "TASK_RUNNING");
  rejected(t, story().told("t1").written("t1"), "I3", /t1 is TASK_RUNNING by agent, which is not written with uuid u-t1-1 at revision 13/);
  accepted(t, story().written("t1").commit().commit().told("t1"), "I3");
});

test("I3: unreachable is what follows from the agent's row", (t) => {
  const story = (): Story => calm().running("t1").after(80_000);
  rejected(t, story().toldByMaster("t1", "TASK_UNREACHABLE"), "I3", /s1 is not unreachable/);
  accepted(t, story().agent("s1", "unreachable").toldByMaster("t1", "TASK_UNREACHABLE"), "I3", { beatGapMs: Infinity });
});

test("I3: a kill without a mark is found, unless the task had ended", (t) => {
  rejected(t, calm().running("t1").kill("t1").ok(), "I3", /kill of t1 was acknowledged at revision 14 without a mark/);
  accepted(t, calm().running("t1").finished("t1").kill("t1").ok(), "I3");
});

test("I3: a teardown, a subscription and an agent's end that were only said are found", (t) => {
  rejected(t, calm().teardown().ok(), "I3", /teardown of f1 was acknowledged/);
  accepted(t, calm().teardown().framework("f1", "removed").ok(), "I3");
  rejected(t, calm().subscribed("f2"), "I3", /f2 was told that it is subscribed/);
  rejected(t, calm().call("markGone", "operator/m1", { agent: "s1" }).ok(), "I3", /s1 was said to be marked as gone/);
});

test("I3: a foreign row is found, unless somebody was told to write it", (t) => {
  const story = (): Story => calm().fault("tamper", "t/abc");
  rejected(t, story().observe("foreign", "registry", { keys: ["a/x"] }), "I3", /rows changed without a head: a\/x/);
  accepted(t, story().observe("foreign", "registry", { keys: ["t/abc"] }), "I3");
});

test("I4: an answer of a leader whose successor was known before the question is found", (t) => {
  const story = calm().leads("m2", "1-20").commit().teardown().framework("f1", "removed");
  rejected(t, story.ok({ epoch: "1-5" }), "I4", /teardown by framework\/f1 was answered by epoch 1-5, though 1-20 was there/);
});

test("I4: an answer that was on its way while the successor came is good", (t) => {
  const story = calm().teardown().framework("f1", "removed").leads("m2", "1-20").ok({ epoch: "1-5" });
  accepted(t, story, "I4");
});

test("I4: an answer at a revision that a successor wrote is found", (t) => {
  const story = calm().teardown().framework("f1", "removed").leads("m2", "1-20").commit().ok({ epoch: "1-5" });
  rejected(t, story, "I4", /at revision 14, where epoch 1-20 had written/);
});

test("I4: a word of a deposed leader may arrive late, but tells of its own time", (t) => {
  const story = (): Story => calm().teardown().framework("f1", "removed").ok().leads("m2", "1-20").commit();
  accepted(t, withLate(story(), 12), "I4");
  rejected(t, withLate(story(), 14), "I4", /subscribed to framework\/f1 came from epoch 1-5 at revision 14/);
});

function withLate(story: Story, revision: number): Story {
  return story.observe("subscribed", "framework/f1", { framework: "f1" }, { epoch: "1-5", revision });
}

test("I4: a current reading from a deposed leader is found; a stale one says what it is", (t) => {
  const story = (): Story => calm().teardown().framework("f1", "removed").ok().leads("m2", "1-20").commit();
  rejected(t, story().read({ master: "m1" }, { epoch: "1-5", revision: 12 }), "I4", /a reading by operator\/m1/);
  accepted(t, story().read({ master: "m1", stale: true }, { epoch: "1-5", revision: 12 }), "I4");
});

test("I4: without answers it is untested", (t) => {
  untested(t, new Story().leads("m1", "1-5").commit(), "I4");
});

test("I5: an id that is given out twice is found", (t) => {
  rejected(t, calm().offer("o1").offer("o1"), "I5", /offer o1 was given out twice/);
  accepted(t, calm().offer("o1").offer("o2"), "I5");
});

test("I5: one uuid for two tasks is found; told twice it is one", (t) => {
  const story = (): Story => calm().running("t1").running("t2");
  rejected(t, story().told("t2", { uuid: "u-t1-1" }), "I5", /uuid u-t1-1 stands for t1 and for t2/);
  accepted(t, story().told("t2"), "I5");
});

test("I5: a launch that changes hands, and a start that is counted twice, are found", (t) => {
  const { row } = calm().launched("t1").tasks.get("t1")!;
  rejected(t, calm().launched("t1").commit({ table: "task", id: "L-t1", task: { ...row!, agent: "s2" } }), "I5", /launch L-t1 is task t1 of f1 on s1, then/);
  rejected(t, calm().observe("agentStarted", "agent/h-s1", { agent: "s1", starts: 1 }), "I5", /start of an agent agent\/h-s1 #1/);
});
