/** I26: what is another's is neither told nor touched. */
import test from "ava";
import { calm, type Story } from "../history-builder.ts";
import { accepted, rejected, untested } from "../verdicts.ts";

/** Two frameworks; t1 and o1 are the first one's. */
const two = (): Story => calm().subscribes("f2");
const running = (): Story => two().running("t1");
const unknown = (story: Story, task = "t1"): Story => story.toldByMaster(task, "TASK_UNKNOWN", "REASON_RECONCILIATION", { actor: "framework/f2" });
const toF2 = { framework: "f2", uuid: "", source: "master", state: "TASK_UNKNOWN" } as const;

test("I26: who asks for another's task is told that nobody knows it, and no more", (t) => {
  const asked = (): Story => running().reconcile("f2", "t1");
  accepted(t, asked().told("t1", toF2).ok(), "I26");
  accepted(t, asked().told("t1", { ...toF2, state: "TASK_GONE", reason: "REASON_RECONCILIATION" }).ok(), "I26");
  rejected(t, asked().told("t1", { ...toF2, state: "TASK_RUNNING" }).ok(), "I26", /f2 was told TASK_RUNNING of t1, which is another's/);
  rejected(t, asked().ok().told("t1", { framework: "f2" }), "I26", /f2 was told TASK_RUNNING of t1, which is another's/);
});

test("I26: nobody is told of another's task without having asked for it", (t) => {
  rejected(t, running().told("t1", toF2), "I26", /f2 was told of t1, which is another's, and had not asked/);
  rejected(t, running().reconcile("f2").ok().told("t1", toF2), "I26", /had not asked/);
  accepted(t, running().kill("t1", 1_000, "f2").told("t1", toF2).ok(), "I26");
});

test("I26: nobody is told of another's offer", (t) => {
  rejected(t, two().offer("o1").offer("o1", { framework: "f2" }), "I26", /f2 was told of offer o1, which is f1's/);
  rejected(t, two().offer("o1").rescind("o1", "f2"), "I26", /f2 was told of offer o1, which is f1's/);
  accepted(t, two().offer("o1").decline("o1", "f2").ok().rescind("o1"), "I26");
});

test("I26: another's kill that marks, is ordered or ends the task is found", (t) => {
  const meddled = (): Story => running().kill("t1", 1_000, "f2").ok();
  const how = (what: string): RegExp => new RegExp(`f2 killed t1, which is f1's: ${what}`);
  rejected(t, meddled().row("t1", { killed: true }), "I26", how("its row is marked"));
  rejected(t, meddled().ordered("kill", "t1"), "I26", how("agent/h-s1 was ordered to"));
  rejected(t, meddled().signal("t1").exits("t1", 143).ended("t1", "TASK_KILLED"), "I26", how("it is TASK_KILLED"));
  accepted(t, meddled().beats("t1", 15_000), "I26");
  accepted(t, meddled().finished("t1"), "I26");
});

test("I26: what its own framework kills may die, whoever else asked for it", (t) => {
  const meddled = (): Story => running().kill("t1", 1_000, "f2").unknown();
  accepted(t, meddled().killed("t1"), "I26");
  const teardown = meddled().teardown().framework("f1", "removed").ok().ordered("kill", "t1").signal("t1").exits("t1", 143);
  accepted(t, teardown.journals("t1", "TASK_KILLED").written("t1").forgets("t1").past("t1"), "I26");
});

test("I26: an update that another's acknowledgement retires is found", (t) => {
  const meddled = (): Story => two().launched("t1").witnessStarts("t1").journals("t1", "TASK_RUNNING").written("t1").told("t1").acknowledge("t1", { framework: "f2" }).ok();
  rejected(t, meddled().retires("t1"), "I26", /f2 acknowledged TASK_RUNNING of t1, which is another's, and it was retired/);
  accepted(t, meddled().beats("t1", 3_000).told("t1").acknowledge("t1").ok().retires("t1"), "I26");
});

test("I26: what is launched with another's offer is found", (t) => {
  const meddled = (): Story => two().offer("o1").launch("t2", { framework: "f2", offer: "o1" });
  rejected(t, meddled().staged("t2").ok(), "I26", /f2 launched t2 with offer o1, which is f1's/);
  accepted(t, meddled().toldByMaster("t2", "TASK_DROPPED", "REASON_INVALID_OFFERS").ok(), "I26");
  const again = meddled().unknown().offer("o2", { framework: "f2" }).launch("t2", { framework: "f2", offer: "o2" }).staged("t2").ok();
  accepted(t, again.ordered("launch", "t2"), "I26");
});

test("I26: an offer that another's call used up is found by its owner, unless it was taken back", (t) => {
  const refused = (story: Story): Story => story.launch("t1", { offer: "o1" }).toldByMaster("t1", "TASK_DROPPED", "REASON_INVALID_OFFERS").ok();
  const declined = (): Story => two().offer("o1").decline("o1", "f2").ok();
  const launched = two().offer("o1").launch("t2", { framework: "f2", offer: "o1" }).toldByMaster("t2", "TASK_DROPPED", "REASON_INVALID_OFFERS").ok();
  const how = /f2 used offer o1, which is f1's, who then could not: it had not been taken back/;
  rejected(t, refused(declined()), "I26", how);
  rejected(t, refused(launched), "I26", how);
  accepted(t, refused(declined().rescind("o1")), "I26");
  accepted(t, refused(declined().disconnected().subscribed()), "I26");
  accepted(t, declined().launch("t1", { offer: "o1" }).staged("t1").ok().ordered("launch", "t1"), "I26");
});

test("I26: where nobody meddles it is untested", (t) => {
  untested(t, running().kill("t9").ok().reconcile("f1", "t1").ok(), "I26");
});

test("I6, I7, I11: what others are told and ask for counts for nothing", (t) => {
  const asked = unknown(running().reconcile("f2", "t1")).ok();
  accepted(t, unknown(asked.reconcile("f2", "t1")).ok(), "I7");
  accepted(t, running().kill("t1", 1_000, "f2").ok().beats("t1", 60_000).finished("t1"), "I6");
  rejected(t, running().kill("t1", 1_000, "f2").ok().ordered("kill", "t1"), "I11", /was ordered to kill t1, and nobody had asked for it/);
});
