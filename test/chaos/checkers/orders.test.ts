/** What operators order: it is done, kept, and a reason for what follows from it. */
import test from "ava";
import { calm, type Story, TOTAL } from "../history-builder.ts";
import { accepted, rejected } from "../verdicts.ts";

const ADMIN = "operator/admin";

function inService(story: Story, active: boolean): Story {
  return story.commit({ table: "agent", id: "s1", standing: "in", active, term: 1, total: TOTAL });
}

const takenOut = (story = calm()): Story => inService(story.call("setActive", ADMIN, { agent: "s1", active: false }), false).ok();
const asked = (weight: number, story = calm()): Story => story.call("setWeight", ADMIN, { role: "web", weight });
const weighs = (story: Story, weight?: number): Story => story.commit({ table: "weight", id: "web", ...(weight !== undefined && { weight }) });

test("I3: an agent out of service stays so under the next leader, until somebody says otherwise", (t) => {
  accepted(t, takenOut().failsOver("m2", "1-40").commit(), "I3");
  rejected(t, inService(takenOut().failsOver("m2", "1-40"), true), "I3", /whether s1 is in service became true at revision 14, and nobody had ordered it/);
  accepted(t, inService(takenOut().call("setActive", ADMIN, { agent: "s1", active: true }), true).ok(), "I3");
});

test("I3: an order that was answered long ago is no reason for a change now", (t) => {
  const back = inService(takenOut().call("setActive", ADMIN, { agent: "s1", active: true }), true).ok();
  rejected(t, inService(back.after(60_000), false), "I3", /became false at revision 15, and nobody had ordered it/);
});

test("I3: an order that is in doubt may be done later, or never", (t) => {
  const doubt = (): Story => calm().call("setActive", ADMIN, { agent: "s1", active: false }).unknown().after(60_000);
  accepted(t, doubt().commit(), "I3");
  accepted(t, inService(doubt(), false), "I3");
});

test("I3: an order that is answered is written by then", (t) => {
  rejected(t, calm().call("setActive", ADMIN, { agent: "s1", active: false }).ok(), "I3", /whether s1 is in service was said to be false at revision 12, where it is true/);
  rejected(t, asked(2).ok(), "I3", /the weight of web was said to be 2 at revision 12, where it is 1/);
  accepted(t, weighs(asked(2), 2).ok(), "I3");
  accepted(t, asked(1).ok(), "I3");
});

test("I3: of two orders in one batch the last stands, and both are answered", (t) => {
  const story = calm().call("setWeight", "operator/other", { role: "web", weight: 3 }).unknown();
  accepted(t, weighs(asked(2, story), 3).ok(), "I3");
  rejected(t, weighs(asked(2), 3).ok(), "I3", /the weight of web became 3/);
  const doubted = calm().call("setWeight", "operator/other", { role: "web", weight: 3 }).unknown();
  rejected(t, asked(2, weighs(doubted, 3)).commit().ok(), "I3", /the weight of web was said to be 2 at revision 14, where it is 3/);
});

test("I3: a weight that a leader forgets is found, and one that a restore takes back is not", (t) => {
  rejected(t, weighs(weighs(asked(2), 2).ok().failsOver("m2", "1-40")), "I3", /the weight of web became 1/);
  accepted(t, weighs(asked(2), 2).ok().restored(12), "I3");
});

test("I15: nothing is launched on an agent that is out of service", (t) => {
  rejected(t, takenOut(calm().offer("o-t1")).launch("t1").staged("t1").ok(), "I15", /t1 was launched on s1, of which nothing is offered/);
  accepted(t, takenOut(calm().launched("t1")), "I15");
});

test("I11: whom an operator kills was asked for", (t) => {
  const killed = (by: (story: Story) => Story): Story => by(calm().running("t1")).row("t1", { killed: true });
  rejected(t, killed((story) => story), "I11", /marked to be killed, and nobody had asked/);
  const story = killed((running) => running.call("kill", ADMIN, { framework: "f1", task: "t1", graceMs: 1_000 })).ok().ordered("kill", "t1");
  accepted(t, story.signal("t1").exits("t1", 143).ended("t1", "TASK_KILLED"), "I11");
});

test("I22: what an operator writes of an agent is no word of it", (t) => {
  accepted(t, inService(calm().after(70_000).call("setActive", ADMIN, { agent: "s1", active: false }), false).ok().after(10_000).agent("s1", "unreachable"), "I22", { beatGapMs: Infinity });
});

test("I2, I5: on a host that was set up anew another agent begins to count, and to obey", (t) => {
  const again = (story: Story): Story => story.observe("agentStarted", "agent/h-s1", { agent: "h-s1", starts: 1 });
  const emptied = (): Story => calm().failsOver("m2", "1-40").observe("agentSetUp", "agent/h-s1", { agent: "s1" });
  rejected(t, again(calm()), "I5", /start of an agent agent\/h-s1 #1 was given out twice/);
  accepted(t, again(emptied()), "I5");
  rejected(t, calm().failsOver("m2", "1-40").obeys("s1", "1-5"), "I2", /after it had answered epoch 1-40/);
  accepted(t, again(emptied()).obeys("s1", "1-5"), "I2");
});

test("I22: an agent is sent away as gone once that is written, and not before", (t) => {
  const leaves = (story: Story): Story => story.observe("agentSentAway", "agent/h-s1", { agent: "s1" });
  const gone = (story = calm()): Story => story.call("markGone", ADMIN, { agent: "s1" }).agent("s1", "gone").ok();
  accepted(t, leaves(gone()), "I22");
  rejected(t, leaves(calm()), "I22", /s1 was sent away as gone, and the registry had not said so/);
  rejected(t, gone(leaves(calm())), "I22", /s1 was sent away as gone/);
});

test("I22: an agent that comes back in the batch of an operator's order was heard", (t) => {
  const away = (): Story => calm().after(90_000).agent("s1", "unreachable").after(90_000);
  const back = (active: boolean, term: number): Story =>
    away().call("setActive", ADMIN, { agent: "s1", active }).commit({ table: "agent", id: "s1", standing: "in", active, term, total: TOTAL }).ok();
  rejected(t, back(false, 2).after(10_000).agent("s1", "unreachable"), "I22", /s1/, { beatGapMs: Infinity });
});

/** An operator's kill of what had not begun, which its framework launches anew before it hears of it. */
function crossed(): Story {
  const staged = calm().offer("o1").launch("t1", { offer: "o1" }).staged("t1").unknown();
  const killed = staged.call("kill", ADMIN, { framework: "f1", task: "t1", graceMs: 0 }).row("t1", { killed: true }).ok().row("t1", { state: "TASK_KILLED", settled: true });
  return killed.offer("o2").launch("t1", { offer: "o2" }).toldByMaster("t1", "TASK_KILLED");
}

const runs = (story: Story, launch: string): Story =>
  story.observe("agentUpdate", "agent/h-s1", { agent: "s1", launch, task: "t1", state: "TASK_RUNNING", uuid: "u9" });

test("I7: an end may cross the call that launches its id anew", (t) => {
  const row = { task: "t1", framework: "f1", agent: "s1", state: "TASK_STAGING", latest: "TASK_STAGING", seq: 0, uuid: "", killed: false, settled: false, resources: {} } as const;
  const anew = runs(crossed().past("t1").commit({ table: "task", id: "L2", task: row }).ok(), "L2");
  const written = anew.commit({ table: "task", id: "L2", task: { ...row, state: "TASK_RUNNING", latest: "TASK_RUNNING", seq: 1, uuid: "u9" } });
  accepted(t, written.told("t1", { state: "TASK_RUNNING", uuid: "u9" }), "I7");
  rejected(t, runs(crossed(), "L-t1").told("t1", { state: "TASK_RUNNING", uuid: "u9" }), "I7", /t1 is TASK_RUNNING after it had ended as TASK_KILLED/);
});
