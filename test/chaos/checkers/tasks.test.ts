/** I6, I7 and I8: launches, states and starts. */
import test from "ava";
import { calm, SMALL, type Story } from "../history-builder.ts";
import { accepted, rejected, untested } from "../verdicts.ts";

const done = (story: Story): Story => story.after(20_000).phase("final");

test("I6: an acknowledged launch that the registry never had is found", (t) => {
  rejected(t, done(calm().launch("t1").ok().leads("m2", "1-20")), "I6", /launch of t1 was acknowledged, and the registry never had it/);
});

test("I6: a launch of unknown outcome may be done, late or never", (t) => {
  accepted(t, done(calm().running("t0").finished("t0").launch("t1").unknown().failsOver("m2", "1-20").launch("t2")), "I6");
  const late = calm().running("t0").finished("t0").offer("o-t1").launch("t1").unknown().after(30_000).staged("t1").witnessStarts("t1").update("t1", "TASK_RUNNING");
  accepted(t, late.beats("t1", 20_000).phase("final"), "I6");
});

test("I6: a refused launch that is done all the same is found", (t) => {
  rejected(t, calm().launch("t1").fail().staged("t1"), "I6", /t1 appears, and its launch had been refused/);
});

test("I6: a task that nobody launched, and one that comes before its launch, are found", (t) => {
  rejected(t, calm().witnessStarts("t1"), "I6", /t1 appears, and nobody had launched it/);
  rejected(t, calm().witnessStarts("t1").launch("t1"), "I6", /t1 appears before it was launched/);
});

test("I6: a framework that asks about a task nobody knows makes no task of it", (t) => {
  const story = calm().running("t1").call("reconcile", "framework/f1", { framework: "f1", tasks: ["t9"] });
  accepted(t, story.toldByMaster("t9", "TASK_UNKNOWN", "REASON_RECONCILIATION").ok(), "I6");
});

test("I6: a row that vanishes is found; with history, after its end, it may go", (t) => {
  rejected(t, calm().running("t1").commit({ table: "task", id: "L-t1" }), "I6", /row of t1 vanished without history/);
  rejected(t, calm().running("t1").past("t1"), "I6", /row of t1 vanished as TASK_RUNNING/);
  accepted(t, calm().running("t1").finished("t1"), "I6");
});

test("I6: with the history of a removed framework goes what would have become history; of one that is not, nothing", (t) => {
  const forgets = (story: Story): Story => story.commit({ table: "task", id: "L-t1" }, { table: "history", id: "f1/0" });
  const killed = (story: Story): Story => story.signal("t1").exits("t1", 143).row("t1", { state: "TASK_KILLED", settled: true });
  const removed = (): Story => killed(calm().running("t1").teardown().framework("f1", "removed").ok());
  accepted(t, forgets(removed()), "I6");
  rejected(t, removed().commit({ table: "task", id: "L-t1" }), "I6", /row of t1 vanished without history/);
  rejected(t, forgets(killed(calm().running("t1"))), "I6", /row of t1 vanished without history/);
});

test("I6: of a framework that was removed, history takes what never said its end", (t) => {
  accepted(t, calm().running("t1").teardown().framework("f1", "removed").ok().signal("t1").exits("t1", 143).past("t1"), "I6");
});

test("I6: an end that its framework never hears of is found", (t) => {
  const story = (): Story => calm().running("t1").exits("t1").journals("t1", "TASK_FINISHED").written("t1");
  rejected(t, done(story()), "I6", /t1 ended as TASK_FINISHED, and f1 never heard of it/);
  accepted(t, done(story().after(5_000).told("t1").acknowledge("t1").ok().forgets("t1").past("t1")), "I6");
});

test("I6: a framework that is away, or a time that is too short, is no reason to complain", (t) => {
  const story = (): Story => calm().running("t1").exits("t1").journals("t1", "TASK_FINISHED").written("t1");
  accepted(t, done(story().disconnected()), "I6");
  accepted(t, story().after(5_000).phase("final"), "I6");
});

test("I6: a later reading lists what was acknowledged, until it ends", (t) => {
  rejected(t, calm().running("t1").read({ tasks: {} }), "I6", /t1 was acknowledged, and a later reading by operator\/m1 does not list it/);
  accepted(t, calm().running("t1").read().finished("t1").read({ tasks: {} }), "I6");
});

test("I6: a reading that began before the answer need not list it", (t) => {
  const story = calm().offer("o-t1").launch("t1");
  const startedAt = story.now;
  accepted(t, story.staged("t1").ok().read({ startedAt, tasks: {} }), "I6");
});

test("I7: by the agent's word nothing goes back", (t) => {
  rejected(t, calm().running("t1").update("t1", "TASK_STARTING"), "I7", /f1 was told that t1 is TASK_STARTING after it had come further/);
  accepted(t, calm().running("t1").update("t1", "TASK_RUNNING"), "I7");
});

test("I7: an end is followed by echoes only", (t) => {
  rejected(t, calm().running("t1").finished("t1").toldByMaster("t1", "TASK_RUNNING"), "I7", /t1 is TASK_RUNNING after it had ended as TASK_FINISHED/);
  accepted(t, calm().running("t1").finished("t1").told("t1").toldByMaster("t1", "TASK_FINISHED", "REASON_RECONCILIATION"), "I7");
});

test("I7: what was unreachable may run on", (t) => {
  const story = (): Story => calm().running("t1").after(80_000).agent("s1", "unreachable").toldByMaster("t1", "TASK_UNREACHABLE");
  const back = story().after(10).agent("s1", "in").toldByMaster("t1", "TASK_RUNNING", "REASON_AGENT_REREGISTERED");
  accepted(t, back, "I7", { beatGapMs: Infinity });
  rejected(t, story().agent("s1", "in").toldByMaster("t1", "TASK_STAGING"), "I7", /t1 is TASK_STAGING after it had come further/);
});

test("I7: what a master concluded to be lost may turn out otherwise, what it settled may not", (t) => {
  const lost = calm().subscribes("f1", { partitionAware: false }).running("t1").toldByMaster("t1", "TASK_LOST");
  accepted(t, lost.update("t1", "TASK_RUNNING"), "I7");
  const gone = calm().running("t1").row("t1", { state: "TASK_GONE", settled: true }).toldByMaster("t1", "TASK_GONE");
  rejected(t, gone.told("t1", { state: "TASK_RUNNING", uuid: "u-other" }), "I7", /t1 is TASK_RUNNING after it had ended as TASK_GONE/);
});

test("I7: the end of a launch that is told when its id was asked for again says nothing of the new one", (t) => {
  const dropped = (): Story => calm().launched("t1").row("t1", { state: "TASK_DROPPED", settled: true });
  const entry = { launch: "L-t1", task: "t1", framework: "f1", state: "TASK_DROPPED" } as const;
  const again = (story: Story): Story => story.after(1).offer("o-2").launch("t1", { offer: "o-2" });
  const row = { task: "t1", framework: "f1", agent: "s1", state: "TASK_STAGING", latest: "TASK_STAGING", seq: 0, uuid: "", killed: false, settled: false, resources: SMALL } as const;
  const begun = (story: Story): Story => story.after(1).commit({ table: "task", id: "L-t1" }, { table: "history", id: "f1/0", task: entry }, { table: "task", id: "L-t1-2", task: row }).ok();
  const told = (story: Story): Story => story.toldByMaster("t1", "TASK_DROPPED");
  const staging = (story: Story): Story => story.toldByMaster("t1", "TASK_STAGING", "REASON_RECONCILIATION");
  accepted(t, staging(begun(told(again(dropped())))), "I7");
  rejected(t, begun(again(staging(told(dropped())))), "I7", /t1 is TASK_STAGING after it had ended as TASK_DROPPED/);
});

test("I7: an opinion that comes from an agent, or stands in a row, is found", (t) => {
  rejected(t, calm().running("t1").told("t1", { state: "TASK_UNREACHABLE", uuid: "u9" }), "I7", /TASK_UNREACHABLE of t1 comes from its agent/);
  rejected(t, calm().running("t1").row("t1", { state: "TASK_UNREACHABLE" }), "I7", /row of t1 says TASK_UNREACHABLE/);
});

test("I7: rows go back neither in state nor in number, and do not rise from the dead", (t) => {
  rejected(t, calm().running("t1").row("t1", { state: "TASK_STAGING" }), "I7", /row of t1 says TASK_STAGING after TASK_RUNNING/);
  rejected(t, calm().running("t1").row("t1", { seq: 0 }), "I7", /has update 0 after 1/);
  rejected(t, calm().running("t1").exits("t1").row("t1", { latest: "TASK_FINISHED" }).row("t1", { latest: "TASK_RUNNING" }), "I7", /says latest TASK_RUNNING after its end/);
  rejected(t, calm().running("t1").finished("t1").staged("t1"), "I7", /came back after it had been forgotten/);
});

test("I7: a journal that goes on after the end is found; a copy of an old one is none", (t) => {
  const story = (): Story => calm().running("t1").finished("t1");
  rejected(t, story().journals("t1", "TASK_RUNNING"), "I7", /journaled TASK_RUNNING of t1 after its end/);
  const copy = { agent: "s1", launch: "L-t1", task: "t1", state: "TASK_RUNNING", uuid: "u-t1-1" } as const;
  accepted(t, story().observe("agentUpdate", "agent/h-s1", copy), "I7");
});

test("I7: of what has left the ring of history a master knows nothing", (t) => {
  const story = (): Story => calm().running("t1").finished("t1");
  const asked = (told: Story): Story => told.toldByMaster("t1", "TASK_GONE", "REASON_RECONCILIATION");
  rejected(t, asked(story()), "I7", /t1 is TASK_GONE after it had ended/);
  accepted(t, asked(story().commit({ table: "history", id: "f1/t1" })), "I7");
});

test("I8: a task that starts twice is found, on whatever agent", (t) => {
  rejected(t, calm().running("t1").witnessStarts("t1"), "I8", /t1 started on s1 \(pid 1001\) and again on s1 \(pid 1002\)/);
  const elsewhere = calm().joins("s2").running("t1");
  elsewhere.tasks.get("t1")!.agent = "s2";
  rejected(t, elsewhere.witnessStarts("t1", "L-other"), "I8", /t1 started on s1 .* and again on s2/);
});

test("I8: two ids for the same work are the framework's choice", (t) => {
  const story = calm().joins("s2").running("t1").after(80_000).agent("s1", "unreachable").toldByMaster("t1", "TASK_UNREACHABLE");
  accepted(t, story.running("t1b", { agent: "s2" }), "I8", { beatGapMs: Infinity });
});

test("I8: an id whose end was heard may be launched anew", (t) => {
  const story = calm().running("t1").finished("t1").offer("o2").launch("t1", { offer: "o2" });
  const row = { task: "t1", framework: "f1", agent: "s1", state: "TASK_STAGING", latest: "TASK_STAGING", seq: 0, uuid: "", killed: false, settled: false, resources: {} } as const;
  accepted(t, story.commit({ table: "task", id: "L2", task: row }).ok().witnessStarts("t1", "L2"), "I8");
});

test("I8: a voice from the grave is found, and without witnesses it is untested", (t) => {
  const story = calm().running("t1").finished("t1");
  rejected(t, story.observe("witnessBeat", "witness/t1", { task: "t1", nonce: "n1" }), "I8", /witnessBeat of a process that had not started, or had ended/);
  untested(t, calm().launched("t1"), "I8");
});
