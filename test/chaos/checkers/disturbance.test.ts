/** I9 to I13: who may touch a task, and whether both sides agree in the end. */
import test from "ava";
import { calm, type Story } from "../history-builder.ts";
import { accepted, rejected, untested } from "../verdicts.ts";

/** A task runs while something is broken. */
const broken = (name: string, ...targets: string[]): Story => calm().running("t1").beats("t1", 1_000).fault(name, ...targets);

test("I9: a task that lives through a minute without masters is the whole point", (t) => {
  accepted(t, broken("killAllMasters", "master/m1", "master/m2").beats("t1", 60_000).over("killAllMasters").beats("t1", 1_000), "I9");
});

test("I9: a gap in its beats while only masters are broken is found", (t) => {
  const story = broken("killAllMasters", "master/m1").beats("t1", 10_000).after(1_100).beats("t1", 1_000);
  rejected(t, story, "I9", /t1 stood still for 1300 ms/);
});

test("I9: a gap is excused by a fault of its own host, and by no other's", (t) => {
  const gap = (story: Story): Story => story.after(5_000).beats("t1", 1_000);
  rejected(t, gap(broken("freeze", "host/h-s2")), "I9", /stood still/);
  accepted(t, gap(broken("cutFromStore", "master/m1").fault("freeze", "host/h-s1")), "I9");
  accepted(t, gap(broken("cutFromStore", "master/m1").fault("freeze", "host/*")), "I9");
});

test("I9: what the whole machine stood still for is no task's gap; what it stood still for at another time is", (t) => {
  const gap = (): Story => broken("cutFromStore", "master/m1").beats("t1", 1_000).after(1_500);
  accepted(t, gap().observe("hostStall", "host", { ms: 900 }).beats("t1", 1_000), "I9");
  rejected(t, gap().beats("t1", 2_000).observe("hostStall", "host", { ms: 500 }), "I9", /t1 stood still/);
});

test("I9: a signal that nobody asked for is found, and who asked is remembered", (t) => {
  const cut = (): Story => broken("cutFromStore", "master/m1");
  rejected(t, cut().signal("t1").exits("t1", 143), "I9", /t1 got TERM, and nobody had asked for it/);
  rejected(t, cut().signal("t1").kill("t1").unknown().exits("t1", 143), "I9", /t1 got TERM/);
  accepted(t, cut().kill("t1").unknown().row("t1", { killed: true }).signal("t1").exits("t1", 143), "I9");
  rejected(t, cut().kill("t1").fail().signal("t1"), "I9", /t1 got TERM/);
});

test("I9: the end of its framework is the end of a task", (t) => {
  const cut = (): Story => broken("cutFromStore", "master/m1");
  accepted(t, cut().teardown().unknown().signal("t1").exits("t1", 143), "I9");
  accepted(t, cut().framework("f1", "disconnected").beats("t1", 600_000).framework("f1", "removed").signal("t1").exits("t1", 143), "I9");
});

test("I9: a task may end by itself, but not by a signal or in silence", (t) => {
  const cut = (): Story => broken("cutFromStore", "master/m1");
  accepted(t, cut().finished("t1").after(10_000).phase("final"), "I9");
  rejected(t, cut().exits("t1", 137), "I9", /t1 was ended by a signal \(status 137\)/);
  rejected(t, cut().after(10_000).phase("final"), "I9", /t1 fell silent for ever/);
});

test("I9: in a run without faults it is untested", (t) => {
  untested(t, calm().running("t1").beats("t1", 5_000), "I9");
});

test("I10: what an agent's death does to its tasks is told apart", (t) => {
  rejected(t, broken("killAgent", "agent/h-s1").signal("t1").exits("t1", 143), "I10", /t1 got TERM/);
  accepted(t, broken("killAgent", "agent/h-s1").beats("t1", 5_000).starts("s1").over("killAgent").beats("t1", 1_000), "I10");
  untested(t, broken("killAgent", "agent/h-s2").beats("t1", 5_000), "I10");
});

test("I11: a kill that was acknowledged and is not done is found", (t) => {
  const asked = (): Story => calm().running("t1").kill("t1").row("t1", { killed: true }).ok().ordered("kill", "t1");
  rejected(t, asked().beats("t1", 12_000), "I11", /kill of t1 was acknowledged, and 11000 ms later it has not ended/);
  untested(t, calm().running("t1").kill("t1").row("t1", { killed: true }).ok().beats("t1", 9_000), "I11");
  accepted(t, asked().beats("t1", 9_000).signal("t1").exits("t1", 143).ended("t1", "TASK_KILLED").after(20_000).commit(), "I11");
});

test("I11: while something is broken a kill may wait", (t) => {
  const story = calm().running("t1").fault("cut", "link/agent/h-s1~master/m1").kill("t1").row("t1", { killed: true }).ok();
  accepted(t, story.beats("t1", 60_000).over("cut").beats("t1", 5_000).ordered("kill", "t1").signal("t1").exits("t1", 143), "I11");
});

test("I11: a kill that meets another task is found", (t) => {
  const story = (): Story => calm().running("t1").running("t2").kill("t1").row("t1", { killed: true }).ok();
  rejected(t, story().ordered("kill", "t2"), "I11", /ordered to kill t2, and nobody had asked for it/);
  rejected(t, story().row("t2", { killed: true }), "I11", /row of t2 is marked to be killed/);
  accepted(t, story().ordered("kill", "t1"), "I11");
});

test("I11: orders to kill what is over need nobody's call", (t) => {
  accepted(t, calm().running("t1").teardown().framework("f1", "removed").ok().ordered("kill", "t1"), "I11");
  const gone = calm().running("t1").call("markGone", "operator/m1", { agent: "s1" }).agent("s1", "gone").ok();
  accepted(t, gone.ordered("kill", "t1"), "I11");
});

test("I12: an exit that never reaches the registry is found", (t) => {
  const story = (): Story => calm().running("t1").exits("t1");
  rejected(t, story().after(20_000).phase("final"), "I12", /t1 exited, and 10000 ms later the registry does not say so/);
  accepted(t, story().after(9_000).ended("t1").after(20_000).phase("final"), "I12");
  // The registry knows; its framework has yet to acknowledge what came before (7.1).
  accepted(t, story().row("t1", { latest: "TASK_FINISHED" }).after(20_000).phase("final"), "I12");
});

test("I12: an exit on an agent that stays away is nobody's to tell", (t) => {
  const story = calm().running("t1").running("t2").finished("t2").exits("t1").after(80_000).agent("s1", "unreachable");
  accepted(t, story.after(20_000).phase("final"), "I12");
});

test("I12: a task that runs on after its end is found", (t) => {
  const story = (): Story => calm().running("t1").journals("t1", "TASK_FINISHED").written("t1");
  rejected(t, story().beats("t1", 4_000), "I12", /t1 is TASK_FINISHED in the registry, and still ran 1000 ms later/);
  accepted(t, story().beats("t1", 600).exits("t1").after(5_000).commit(), "I12");
});

test("I12: an agent that an operator took for gone may wake and start what had been sent to it; what was dropped stays so", (t) => {
  const launched = (): Story => calm().launched("t1");
  const entry = { launch: "L-t1", task: "t1", framework: "f1", state: "TASK_GONE_BY_OPERATOR" } as const;
  const marked = (): Story => launched().call("markGone", "operator/o1", { agent: "s1" }).agent("s1", "gone").ok();
  const gone = (): Story => marked().commit({ table: "task", id: "L-t1" }, { table: "history", id: "f1/t1", task: entry });
  untested(t, gone().witnessStarts("t1").exits("t1").after(20_000).phase("final"), "I12");
  rejected(t, gone().after(11_000).witnessStarts("t1"), "I12", /t1 started after the registry said TASK_GONE_BY_OPERATOR/);
  rejected(t, launched().row("t1", { state: "TASK_DROPPED", settled: true }).past("t1").witnessStarts("t1"), "I12", /t1 started after the registry said TASK_DROPPED/);
});

test("I12: what a master ended has time to be killed", (t) => {
  const settled = (): Story => calm().running("t1").row("t1", { state: "TASK_GONE", settled: true });
  accepted(t, settled().kill("t1").ok().beats("t1", 5_000).signal("t1").exits("t1", 143).toldByMaster("t1", "TASK_GONE").after(30_000).commit(), "I12");
  rejected(t, settled().beats("t1", 40_000), "I12", /t1 is TASK_GONE in the registry, and still ran 20000 ms later/);
});

test("I12: a start after the end is found", (t) => {
  const story = calm().launched("t1").row("t1", { state: "TASK_KILLED", settled: true, killed: true });
  rejected(t, story.witnessStarts("t1"), "I12", /t1 started after the registry said TASK_KILLED/);
});

test("I13: what is left over is found", (t) => {
  rejected(t, calm().phase("final").observe("leftover", "host", { what: "control group mesarch/L-t1" }), "I13", /left over: control group/);
  accepted(t, calm().phase("final"), "I13");
  untested(t, calm(), "I13");
});

test("I13: in the end what runs has a row, and what has a row runs", (t) => {
  const story = (): Story => calm().running("t1").beats("t1", 20_000);
  accepted(t, story().phase("final"), "I13");
  rejected(t, story().running("t2").beats("t1", 20_000).phase("final"), "I13", /registry has t2 as TASK_RUNNING, and it does not run/);
  const unknown = story();
  unknown.tasks.set("t3", { ...unknown.tasks.get("t1")!, nonce: "", row: undefined });
  rejected(t, unknown.witnessStarts("t3").beats("t3", 15_000).phase("final"), "I13", /t3 runs, and the registry has nothing of it/);
});

test("I13: what has just happened need not have arrived, and what is broken is left out", (t) => {
  accepted(t, calm().running("t1").beats("t1", 20_000).exits("t1").phase("final"), "I13");
  accepted(t, calm().running("t1").fault("powerOff", "host/h-s1").after(60_000).phase("final"), "I13");
});

test("I13: a master with two candidate keys is found", (t) => {
  const key = (name: string): Story => calm().observe("candidates", "registry", { added: ["cand/m1.abc.1", `cand/${name}`], removed: [] });
  rejected(t, key("m1.abc.2").phase("final"), "I13", /m1 is left with 2 candidate keys/);
  accepted(t, key("m2.def.1").phase("final"), "I13");
  accepted(t, key("m1.abc.2").observe("candidates", "registry", { added: [], removed: ["cand/m1.abc.1"] }).phase("final"), "I13");
});
