/** I17, I18 and I19: updates, repeated updates, and acknowledgements. */
import test from "ava";
import { calm, type Story } from "../history-builder.ts";
import { accepted, rejected, untested } from "../verdicts.ts";

test("I17: an update that is told although no agent journaled it is found", (t) => {
  rejected(t, calm().running("t1").told("t1", { uuid: "u-forged" }), "I17", /f1 was told TASK_RUNNING of t1, which no agent has journaled/);
  accepted(t, calm().running("t1"), "I17");
});

test("I17: speaking before writing is found", (t) => {
  const story = calm().launched("t1").witnessStarts("t1").journals("t1", "TASK_RUNNING").written("t1").told("t1");
  const [journaled, written, told] = story.events.splice(-3);
  story.events.push({ ...told!, t: journaled!.t }, { ...journaled!, t: written!.t }, { ...written!, t: told!.t });
  rejected(t, story, "I17", /was told before it was journaled/);
});

test("I17: an update that is left out is found", (t) => {
  const story = (): Story => calm().launched("t1").witnessStarts("t1").journals("t1", "TASK_STARTING").written("t1");
  rejected(t, story().update("t1", "TASK_RUNNING"), "I17", /TASK_RUNNING of t1 \(u-t1-2\) was told, and not before it TASK_STARTING/);
  accepted(t, story().told("t1").acknowledge("t1").ok().retires("t1").update("t1", "TASK_RUNNING"), "I17");
});

test("I17: the next update waits for the acknowledgement, and the one before it is not told again", (t) => {
  const first = (): Story => calm().launched("t1").witnessStarts("t1").journals("t1", "TASK_STARTING").written("t1").told("t1");
  rejected(t, first().journals("t1", "TASK_RUNNING").written("t1").told("t1"), "I17", /TASK_RUNNING of t1 \(u-t1-2\) was told before TASK_STARTING/);
  accepted(t, first().acknowledge("t1").unknown().retires("t1").update("t1", "TASK_RUNNING"), "I17");
  const late = { state: "TASK_STARTING", uuid: "u-t1-1" } as const;
  rejected(t, first().acknowledge("t1").ok().retires("t1").update("t1", "TASK_RUNNING").told("t1", late), "I17", /TASK_STARTING of t1 \(u-t1-1\) was told again after TASK_RUNNING/);
});

test("I17: what was journaled and never told is found, if there is somebody to tell", (t) => {
  const story = (): Story => calm().running("t0").finished("t0").launched("t1").witnessStarts("t1").journals("t1", "TASK_RUNNING").written("t1");
  rejected(t, story().beats("t1", 20_000).phase("final"), "I17", /TASK_RUNNING of t1 was journaled and never told to f1/);
  accepted(t, story().disconnected().beats("t1", 20_000).phase("final"), "I17");
  accepted(t, story().fault("killAgent", "agent/h-s1").beats("t1", 20_000).phase("final"), "I17");
  accepted(t, story().beats("t1", 5_000).phase("final"), "I17");
});

test("I17: an agent that forgets what was not acknowledged is found", (t) => {
  const story = (): Story => calm().running("t1").exits("t1").journals("t1", "TASK_FINISHED").written("t1").told("t1");
  rejected(t, story().forgets("t1"), "I17", /t1 was forgotten by its agent with 1 updates that nobody had acknowledged/);
  accepted(t, story().acknowledge("t1").unknown().forgets("t1").past("t1"), "I17");
});

test("I17: what nobody waits for may be forgotten", (t) => {
  const story = (): Story => calm().running("t1");
  accepted(t, story().teardown().framework("f1", "removed").ok().signal("t1").exits("t1", 143).journals("t1", "TASK_KILLED").written("t1").forgets("t1").past("t1"), "I17");
  const settled = story().kill("t1").row("t1", { state: "TASK_KILLED", settled: true }).ok().toldByMaster("t1", "TASK_KILLED").signal("t1").exits("t1", 143);
  accepted(t, settled.journals("t1", "TASK_KILLED").forgets("t1"), "I17");
});

test("I18: an update told again is the same update", (t) => {
  rejected(t, calm().running("t1").told("t1", { state: "TASK_FINISHED" }), "I18", /update u-t1-1 of t1 was TASK_RUNNING first, and TASK_FINISHED when it was told again/);
  accepted(t, calm().running("t1").told("t1"), "I18");
});

test("I18: an update that is written twice is found", (t) => {
  const again = { state: "TASK_RUNNING", uuid: "u-t1-1" } as const;
  rejected(t, calm().running("t1").told("t1").row("t1", { ...again, seq: 2 }), "I18", /row of t1 changed with an update it had already/);
  rejected(t, calm().running("t1").told("t1").row("t1", { uuid: "u2", seq: 2 }).row("t1", { ...again, seq: 3 }), "I18", /update u-t1-1 of t1 was written twice/);
  accepted(t, calm().running("t1").told("t1").kill("t1").row("t1", { killed: true }).ok(), "I18");
  rejected(t, calm().running("t1").told("t1").row("t1", {}), "I18", /row of t1 was written again as it was/);
});

test("I18: an end that goes to history twice is found", (t) => {
  const story = (): Story => calm().running("t1").told("t1").finished("t1");
  const entry = { launch: "L-t1", task: "t1", framework: "f1", state: "TASK_FINISHED" } as const;
  rejected(t, story().commit({ table: "history", id: "f1/other", task: entry }), "I18", /t1 went to history twice/);
  accepted(t, story(), "I18");
});

test("I18: where nothing was told again it is untested", (t) => {
  untested(t, calm().running("t1").finished("t1"), "I18");
});

test("I19: an update retired without its own acknowledgement is found", (t) => {
  const story = (): Story => calm().launched("t1").witnessStarts("t1").journals("t1", "TASK_RUNNING").written("t1").told("t1");
  const how = /TASK_RUNNING of t1 \(u-t1-1\) was retired, and its framework had not acknowledged it/;
  rejected(t, story().retires("t1"), "I19", how);
  rejected(t, story().acknowledge("t1", { uuid: "u-other" }).ok().retires("t1"), "I19", how);
  rejected(t, story().acknowledge("t1", { agent: "s2" }).ok().retires("t1"), "I19", how);
  rejected(t, story().acknowledge("t1", { framework: "f2" }).ok().retires("t1"), "I19", how);
  rejected(t, story().acknowledge("t1").fail("403").retires("t1"), "I19", how);
  accepted(t, story().acknowledge("t1").unknown().retires("t1"), "I19");
});

test("I19: a wrong acknowledgement that retires nothing is as it must be", (t) => {
  const story = calm().launched("t1").witnessStarts("t1").journals("t1", "TASK_RUNNING").written("t1").told("t1");
  accepted(t, story.acknowledge("t1", { uuid: "u-other" }).ok().acknowledge("t1", { agent: "s2" }).fail(), "I19");
});

test("I19: an update that was never made, or has its turn later, cannot be retired", (t) => {
  rejected(t, calm().running("t1").retires("t1", "u-unknown"), "I19", /retired update u-unknown of L-t1, which it never made/);
  const two = calm().launched("t1").witnessStarts("t1").journals("t1", "TASK_STARTING").written("t1").told("t1").journals("t1", "TASK_RUNNING");
  rejected(t, two.acknowledge("t1").ok().retires("t1"), "I19", /TASK_RUNNING of t1 \(u-t1-2\) was retired before TASK_STARTING/);
});

test("I19: of a framework that was removed the leader acknowledges itself", (t) => {
  const story = calm().launched("t1").witnessStarts("t1").teardown().framework("f1", "removed").ok().journals("t1", "TASK_RUNNING").written("t1");
  accepted(t, story.retires("t1"), "I19");
});
