/** I14, I15 and I16: what an agent has, what is offered of it, and what is taken. */
import test from "ava";
import type { Amounts } from "../../../chaos/history/event.ts";
import { calm, SMALL, type Story, TOTAL } from "../history-builder.ts";
import { accepted, rejected, untested } from "../verdicts.ts";

const HALF = { cpus: 2_000 };
const MOST = { cpus: 3_000 };

test("I14: a launch that takes more than is left is found", (t) => {
  rejected(t, calm().launched("t1", { resources: HALF }).launched("t2", { resources: MOST }), "I14", /t2 takes cpus of s1 to 5000 of 4000/);
  accepted(t, calm().launched("t1", { resources: HALF }).launched("t2", { resources: HALF }), "I14");
});

test("I14: an end makes room, in the same batch, too", (t) => {
  const story = calm().running("t1", { resources: MOST }).exits("t1").journals("t1", "TASK_FINISHED").written("t1");
  accepted(t, story.launched("t2", { resources: MOST }), "I14");
  const early = calm().running("t1", { resources: MOST }).row("t1", { latest: "TASK_FINISHED" }).exits("t1");
  accepted(t, early.launched("t2", { resources: MOST }), "I14");
});

test("I14: a master's opinion frees nothing", (t) => {
  const story = calm().running("t1", { resources: MOST }).after(80_000).agent("s1", "unreachable").agent("s1", "in");
  rejected(t, story.launched("t2", { resources: HALF }), "I14", /t2 takes cpus/);
});

test("I14: one port for two tasks is found", (t) => {
  const ports = { ...TOTAL, "ports:31000": 1_000, "ports:31001": 1_000 };
  const story = (second: string): Story => {
    const joined = calm().agent("s1", "in", ports).launched("t1", { resources: { "ports:31000": 1_000 } });
    return joined.launched("t2", { resources: { [second]: 1_000 } });
  };
  rejected(t, story("ports:31000"), "I14", /t2 takes ports:31000 of s1 to 2000 of 1000/);
  t.notThrows(() => story("ports:31001"));
});

test("I14: an agent that comes back smaller keeps what it runs, and gets nothing more", (t) => {
  const story = (): Story => calm().running("t1", { resources: MOST }).agent("s1", "in", { cpus: 2_000 });
  accepted(t, story(), "I14");
  rejected(t, story().launched("t2", { resources: { cpus: 500 } }), "I14", /t2 takes cpus of s1 to 3500 of 2000/);
});

test("I14: what truly runs at one time is counted, too", (t) => {
  // The rows say that t1 has ended; it says something else.
  const story = (): Story => calm().running("t1", { resources: MOST });
  const ended = { state: "TASK_FINISHED", uuid: "u9", seq: 2 } as const;
  rejected(t, story().row("t1", ended).running("t2", { resources: HALF }).beats("t1", 500), "I14", /with t2, 5000 of 4000 cpus run on s1/);
  accepted(t, story().exits("t1").row("t1", ended).running("t2", { resources: HALF }), "I14");
});

test("I14: without launches it is untested", (t) => {
  untested(t, calm(), "I14");
});

test("I15: an offer that is spent by two calls is found", (t) => {
  const story = (): Story => calm().offer("o1").launch("t1", { offer: "o1" }).staged("t1").ok();
  rejected(t, story().launch("t2", { offer: "o1" }).staged("t2").ok(), "I15", /t2 was launched with offer o1, as was t1, by another call/);
  accepted(t, story().launch("t2", { offer: "o1" }).toldByMaster("t2", "TASK_DROPPED", "REASON_INVALID_OFFERS").ok(), "I15");
});

test("I15: an acceptance that is repeated after an unknown outcome is one", (t) => {
  const story = (): Story => calm().offer("o1").launch("t1", { offer: "o1" }).unknown().staged("t1");
  accepted(t, story().launch("t1", { offer: "o1" }).ok(), "I15");
  // The first one may never have arrived, and the second brought another offer.
  accepted(t, calm().offer("o1").launch("t1", { offer: "o1" }).unknown().offer("o2").launch("t1", { offer: "o2" }).staged("t1").ok().launch("t3", { offer: "o1" }).staged("t3").ok(), "I15");
});

test("I15: an offer of somebody else, of another agent or of a dead epoch is found", (t) => {
  rejected(t, calm().subscribes("f2").offer("o1", { framework: "f2" }).launch("t1", { offer: "o1" }).staged("t1").ok(), "I15", /which is f2's/);
  rejected(t, calm().joins("s2").offer("o1").launch("t1", { offer: "o1", agent: "s2" }).staged("t1").ok(), "I15", /which is of s1/);
  rejected(t, calm().offer("o1").failsOver("m2", "1-20").launch("t1", { offer: "o1" }).staged("t1").ok(), "I15", /which is of epoch 1-5, by epoch 1-20/);
});

test("I15: an offer that nobody made is found", (t) => {
  rejected(t, calm().offer("o1").launch("t1", { offer: "o-forged" }).staged("t1").ok(), "I15", /t1 was launched with offers that nobody had made: o-forged/);
});

test("I15: an id says of which epoch an offer is, if nothing else does", (t) => {
  const offer = "1-5-abc-O7";
  const story = calm().observe("offer", "framework/f1", { framework: "f1", offer, agent: "s1", role: "*", resources: TOTAL });
  rejected(t, story.failsOver("m2", "1-20").launch("t1", { offer }).staged("t1").ok(), "I15", /which is of epoch 1-5/);
});

test("I15: what was taken back or given back cannot be spent, unless the word of it crossed the call", (t) => {
  const rescind = (story: Story): Story => story.observe("rescind", "framework/f1", { framework: "f1", offer: "o1" });
  rejected(t, rescind(calm().offer("o1")).launch("t1", { offer: "o1" }).staged("t1").ok(), "I15", /which was taken back before/);
  accepted(t, rescind(calm().offer("o1").launch("t1", { offer: "o1" })).staged("t1").ok(), "I15");
  const declined = calm().offer("o1").call("decline", "framework/f1", { framework: "f1", offers: ["o1"] }).ok();
  rejected(t, declined.launch("t1", { offer: "o1" }).staged("t1").ok(), "I15", /which was taken back before/);
});

test("I15: more than was offered is found", (t) => {
  const story = (offered: Amounts): Story => calm().offer("o1", { resources: offered }).launch("t1", { offer: "o1" }).staged("t1").ok();
  rejected(t, story({ cpus: 500, mem: 100_000 }), "I15", /launched 1000 cpus on offers of 500/);
  accepted(t, story(SMALL), "I15");
});

const books = (story: Story, used: number, offered: number, free: number): Story => {
  const value = { agent: "s1", total: { cpus: 4_000 }, used: { cpus: used }, offered: { cpus: offered }, free: { cpus: free } };
  return story.observe("books", "operator/m1", value, { revision: story.revision });
};

test("I16: books that do not add up are found", (t) => {
  rejected(t, books(calm(), 1_000, 1_000, 1_000), "I16", /of cpus of s1, 1000 free and 1000 offered do not make up for 4000 less 1000/);
  accepted(t, books(calm(), 1_000, 1_000, 2_000), "I16");
  untested(t, calm(), "I16");
});

test("I16: an agent with too much on it gives nothing", (t) => {
  accepted(t, books(calm(), 5_000, 0, 0), "I16");
  rejected(t, books(calm(), 5_000, 0, 500), "I16", /500 free and 0 offered/);
});

test("I16: at rest an end has freed once, and neither twice nor never", (t) => {
  const rest = (used: number): Story => {
    const story = calm().running("t1", { resources: SMALL }).running("t2", { resources: SMALL }).finished("t2").beats("t1", 20_000).phase("settled");
    const value = { agent: "s1", total: TOTAL, used: { cpus: used, mem: 100 * used }, offered: {}, free: { cpus: 4_000 - used, mem: 4_000_000 - 100 * used } };
    return story.commit().observe("books", "operator/m1", value, { revision: story.revision });
  };
  accepted(t, rest(1_000), "I16");
  rejected(t, rest(0), "I16", /0 count as used, and its rows take 1000/);
  rejected(t, rest(2_000), "I16", /2000 count as used, and its rows take 1000/);
});
