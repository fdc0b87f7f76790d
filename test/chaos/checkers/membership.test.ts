/** I20 to I23: how frameworks and agents leave, and how they come back. */
import test from "ava";
import { calm, type Story } from "../history-builder.ts";
import { accepted, rejected, untested } from "../verdicts.ts";

const QUICK = { failoverTimeoutMs: 30_000 };
const silent = { beatGapMs: Infinity };

test("I20: a framework that is removed before its time is found", (t) => {
  const away = (): Story => calm().subscribes("f2", QUICK).disconnected("f2").framework("f2", "disconnected");
  rejected(t, away().after(20_000).framework("f2", "removed"), "I20", /f2 was removed after 20001 ms away, and may be away for 30000 ms/);
  accepted(t, away().after(29_500).framework("f2", "removed"), "I20");
  accepted(t, away().after(20_000).framework("f2", "subscribed").subscribed("f2"), "I20");
});

test("I20: a framework whose stream broke may not be removed at once, unless it asked for that", (t) => {
  rejected(t, calm().subscribes("f2", QUICK).framework("f2", "removed"), "I20", /f2 was removed after 0 ms away/);
  accepted(t, calm().subscribes("f2", { failoverTimeoutMs: 0 }).framework("f2", "removed"), "I20");
});

test("I20: whom a failover cut off has ten minutes, even without a timeout of its own", (t) => {
  const cutOff = (): Story => calm().subscribes("f2", { failoverTimeoutMs: 0 }).failsOver("m2", "1-40").after(30_000).framework("f2", "disconnected");
  rejected(t, cutOff().after(60_000).framework("f2", "removed"), "I20", /f2 was removed after .* ms away, and may be away for 600000 ms/);
  accepted(t, cutOff().after(570_000).framework("f2", "removed"), "I20");
  const policy = { lostByMasterGraceMs: 60_000 };
  accepted(t, cutOff().after(40_000).framework("f2", "removed"), "I20", { policy });
});

test("I20: time away goes on under the next leader, and does not begin anew", (t) => {
  const away = (): Story => calm().subscribes("f2", QUICK).framework("f2", "disconnected").after(20_000).failsOver("m2", "1-40");
  accepted(t, away().after(10_000).framework("f2", "removed"), "I20");
  rejected(t, away().framework("f2", "removed"), "I20", /f2 was removed after/);
});

test("I20: a framework that stays away for ever and is never removed is found", (t) => {
  const away = (): Story => calm().subscribes("f2", QUICK).framework("f2", "disconnected");
  rejected(t, away().after(620_000).commit(), "I20", /f2 is away since revision 14, and was not removed within 600000 ms/);
  untested(t, away().after(500_000).commit(), "I20");
});

test("I20: a teardown needs no patience", (t) => {
  untested(t, calm().teardown().framework("f1", "removed").ok(), "I20");
});

test("I21: a framework that comes back after its removal is found", (t) => {
  const removed = (): Story => calm().teardown().framework("f1", "removed").ok();
  rejected(t, removed().failsOver("m2", "1-20").framework("f1", "subscribed"), "I21", /f1 was removed, and is subscribed again at revision 14/);
  const again = removed().call("subscribe", "framework/f1", { framework: "f1", failoverTimeoutMs: 0 });
  rejected(t, again.ok(), "I21", /f1 was removed, and a subscribe of it was accepted later/);
  const refused = removed().call("subscribe", "framework/f1", { framework: "f1", failoverTimeoutMs: 0 }).fail();
  accepted(t, refused.commit({ table: "framework", id: "f1" }), "I21");
});

test("I21: a subscription that was on its way while it was removed is nobody's fault", (t) => {
  const story = calm().call("subscribe", "framework/f1", { framework: "f1", failoverTimeoutMs: 0 }).teardown().framework("f1", "removed");
  accepted(t, story.ok(), "I21");
});

test("I21: its tasks die, once their agent hears of it", (t) => {
  const removed = (): Story => calm().running("t1").teardown().framework("f1", "removed").ok();
  rejected(t, removed().beats("t1", 25_000), "I21", /t1 still ran 20000 ms after f1 was removed/);
  accepted(t, removed().beats("t1", 5_000).signal("t1").exits("t1", 143).past("t1").after(20_000).commit(), "I21");
  accepted(t, removed().fault("cut", "link/agent/h-s1").beats("t1", 60_000), "I21");
});

test("I21: an agent that is gone stays gone, and gets no task", (t) => {
  const gone = (): Story => calm().call("markGone", "operator/m1", { agent: "s1" }).agent("s1", "gone").ok();
  rejected(t, gone().agent("s1", "in"), "I21", /s1 was gone, and is in again/);
  rejected(t, gone().launched("t1"), "I21", /t1 was launched on s1, which was gone/);
  accepted(t, gone().commit({ table: "agent", id: "s1" }), "I21");
});

test("I22: an agent that was heard a minute ago is not unreachable", (t) => {
  rejected(t, calm().after(60_000).agent("s1", "unreachable"), "I22", /s1 is unreachable at revision 13, 600.. ms after epoch 1-5 could hear it/);
  accepted(t, calm().after(75_000).agent("s1", "unreachable"), "I22");
});

test("I22: a new leader gives everybody a full window of its own", (t) => {
  const story = (): Story => calm().after(70_000).leads("m2", "1-20").commit();
  rejected(t, story().after(10_000).agent("s1", "unreachable"), "I22", /1000. ms after epoch 1-20 could hear it/);
  accepted(t, story().after(75_000).agent("s1", "unreachable"), "I22");
});

test("I22: an update shows that its agent was heard", (t) => {
  const story = calm().after(70_000).running("t1").after(10_000).agent("s1", "unreachable");
  rejected(t, story, "I22", /s1 is unreachable/, silent);
});

test("I22: windows are what the masters were set to", (t) => {
  accepted(t, calm().after(10_000).agent("s1", "unreachable"), "I22", { policy: { unreachableAfterMs: 10_000 } });
});

test("I22: two agents in one minute are too many for a small cluster", (t) => {
  const story = (): Story => calm().joins("s2").joins("s3").after(80_000).agent("s1", "unreachable");
  rejected(t, story().after(10_000).agent("s2", "unreachable"), "I22", /2 agents became unreachable within 10001 ms, and 1 may/);
  accepted(t, story().after(60_000).agent("s2", "unreachable"), "I22");
});

test("I22: only an operator makes an agent gone", (t) => {
  rejected(t, calm().agent("s1", "gone"), "I22", /s1 is gone at revision 13, and nobody had said so/);
  accepted(t, calm().call("markGone", "operator/m1", { agent: "s1" }).unknown().agent("s1", "gone"), "I22");
});

test("I22: each framework hears it in words that it knows", (t) => {
  const lost = (partitionAware: boolean): Story => {
    const story = calm().subscribes("f2", { partitionAware }).running("t1", { framework: "f2" });
    return story.after(80_000).agent("s1", "unreachable");
  };
  rejected(t, lost(false).toldByMaster("t1", "TASK_UNREACHABLE"), "I22", /f2 was told TASK_UNREACHABLE of t1, a state it does not know/, silent);
  accepted(t, lost(false).toldByMaster("t1", "TASK_LOST"), "I22", silent);
  rejected(t, lost(true).toldByMaster("t1", "TASK_LOST"), "I22", /f2 was told that t1 is lost, and would understand more/, silent);
  accepted(t, lost(true).toldByMaster("t1", "TASK_UNREACHABLE"), "I22", silent);
});

test("I23: an agent that comes back under another id is found", (t) => {
  const back = (story: Story): Story => story.observe("agentObeys", "agent/h-s1", { agent: "s9" }, { epoch: "1-5" });
  rejected(t, back(calm()), "I23", /agent\/h-s1 was s1, and came back as s9/);
  accepted(t, back(calm().call("markGone", "operator/m1", { agent: "s1" }).agent("s1", "gone").ok()), "I23");
  accepted(t, calm().starts("s1").obeys("s1"), "I23");
  untested(t, calm(), "I23");
});

test("I23: before it has an id an agent goes by its host's name", (t) => {
  const story = calm().observe("agentStarted", "agent/h2", { agent: "", starts: 1 }).observe("agentObeys", "agent/h2", { agent: "h2" }, { epoch: "1-5" });
  accepted(t, story.observe("agentObeys", "agent/h2", { agent: "s2" }, { epoch: "1-5" }), "I23");
});

test("I23: a registration that is repeated makes no second agent", (t) => {
  const story = (): Story => calm().obeys("s1");
  rejected(t, story().agent("s7", "in").phase("final"), "I23", /s7 is in the registry, and no agent goes by that id/);
  accepted(t, story().agent("s1", "in").phase("final"), "I23");
});

test("I23: one task with two rows is found", (t) => {
  const story = (): Story => calm().obeys("s1").running("t1");
  const { row } = story().tasks.get("t1")!;
  rejected(t, story().commit({ table: "task", id: "L-again", task: { ...row!, state: "TASK_STAGING", latest: "TASK_STAGING" } }), "I23", /t1 has two rows: L-t1 and L-again/);
  accepted(t, story().row("t1", { latest: "TASK_FINISHED" }), "I23");
});
