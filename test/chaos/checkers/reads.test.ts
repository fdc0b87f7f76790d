/** I24 and I25: what operators are shown. */
import test from "ava";
import type { EventOf } from "../../../chaos/history/event.ts";
import { calm, type Story } from "../history-builder.ts";
import { accepted, rejected, untested } from "../verdicts.ts";

test("I24: a reading shows the registry at its revision", (t) => {
  rejected(t, calm().running("t1").read({ tasks: { t1: "TASK_STAGING" } }), "I24", /operator\/m1 read t1 as TASK_STAGING at revision 14, where it was TASK_RUNNING/);
  accepted(t, calm().running("t1").read(), "I24");
  untested(t, calm(), "I24");
});

test("I24: a leader may answer in the middle of a batch", (t) => {
  const story = calm().offer("o-t1").launch("t1").staged("t1").ok();
  const startedAt = story.now;
  // Asked before the update of the same batch was taken, answered when all of it was written.
  story.ordered("launch", "t1").witnessStarts("t1").journals("t1", "TASK_RUNNING").written("t1");
  accepted(t, story.read({ startedAt, tasks: { t1: "TASK_STAGING" } }), "I24");
});

test("I24: a stale reading is of one whole revision, and names it", (t) => {
  const story = (): Story => calm().running("t1").exits("t1").journals("t1", "TASK_FINISHED").written("t1");
  accepted(t, story().read({ stale: true, master: "m2", tasks: { t1: "TASK_RUNNING" } }, { revision: 14 }), "I24");
  rejected(t, story().read({ stale: true, master: "m2", tasks: { t1: "TASK_RUNNING" } }), "I24", /read t1 as TASK_RUNNING at revision 15, where it was TASK_FINISHED/);
  const unnamed = story();
  const { revision: _, ...event } = unnamed.read({ stale: true }).events.pop()!;
  unnamed.events.push(event as EventOf<"read">);
  rejected(t, unnamed, "I24", /a stale reading by operator\/m1 does not say of which revision/);
});

test("I24: what follows from an agent's row is shown, and what has ended may be left out", (t) => {
  const away = (): Story => calm().running("t1").after(80_000).agent("s1", "unreachable");
  rejected(t, away().read({ tasks: { t1: "TASK_RUNNING" } }).read({ tasks: { t1: "TASK_RUNNING" } }), "I24", /fit no order|where it was TASK_UNREACHABLE/, { beatGapMs: Infinity });
  accepted(t, away().read({ tasks: { t1: "TASK_UNREACHABLE" } }), "I24", { beatGapMs: Infinity });
  accepted(t, calm().running("t1").finished("t1").read({ tasks: {} }).read({ tasks: { t1: "TASK_FINISHED" } }), "I24");
});

test("I24: a current reading of the past is found", (t) => {
  const story = (): Story => calm().running("t1").kill("t1").row("t1", { killed: true }).ok();
  rejected(t, story().read({}, { revision: 14 }), "I24", /read revision 14 as the present, and revision 15 was known before/);
  accepted(t, story().read({ stale: true, master: "m2" }, { revision: 14 }), "I24");
});

test("I24: between commits the store's revision rises by itself", (t) => {
  accepted(t, calm().running("t1").read({ stale: true, master: "m2" }, { revision: 40 }).read(), "I24");
});

test("I24: one client of one master never goes back", (t) => {
  const story = (): Story => calm().running("t1").read({ stale: true, master: "m2" });
  rejected(t, story().read({ stale: true, master: "m2", tasks: {} }, { revision: 12 }), "I24", /operator\/m2 read revision 14, and revision 12 after it/);
  accepted(t, story().read({ stale: true, master: "m3", tasks: {} }, { revision: 12 }), "I24");
  // Both were under way at once.
  accepted(t, story().read({ stale: true, master: "m2", tasks: {}, startedAt: 0 }, { revision: 12 }), "I24");
});

test("I24: readings without revision still have to fit in time", (t) => {
  const at = { revision: undefined } as never;
  const read = (story: Story, tasks: EventOf<"read">["value"]["tasks"]): Story => story.read({ tasks }, at);
  rejected(t, read(calm().running("t1"), { t1: "TASK_STAGING" }), "I24", /readings of t1 fit no order of its writes in time: operator\/m1 read TASK_STAGING/);
  accepted(t, read(calm().running("t1"), { t1: "TASK_RUNNING" }), "I24");
  const story = calm().offer("o-t1").launch("t1");
  read(story, {});
  const startedAt = story.now;
  story.staged("t1").ok().read({ startedAt, tasks: {} }, at);
  accepted(t, story, "I24");
  rejected(t, read(read(calm().launched("t1"), { t1: "TASK_STAGING" }), {}), "I24", /readings of t1 fit no order/);
});

test("I24: old after new fits no order; both at once do", (t) => {
  const at = { revision: undefined } as never;
  const story = (pauseMs: number): Story => {
    const begun = calm().launched("t1").witnessStarts("t1").journals("t1", "TASK_RUNNING");
    return begun.read({ tasks: { t1: "TASK_RUNNING" } }, at).after(pauseMs).read({ tasks: { t1: "TASK_STAGING" } }, at).written("t1");
  };
  rejected(t, story(1), "I24", /readings of t1 fit no order/);
  accepted(t, story(0), "I24");
});

test("I24: agents and frameworks are read like tasks", (t) => {
  const standing = { agents: { s1: "in" }, frameworks: { f1: "subscribed" } } as const;
  accepted(t, calm().read(standing), "I24");
  rejected(t, calm().read({ ...standing, agents: {} }), "I24", /read s1 as absent at revision 12, where it was in/);
  rejected(t, calm().read({ ...standing, frameworks: { f1: "removed" } }), "I24", /read f1 as removed/);
});

type News = EventOf<"news">["value"];
const tell = (story: Story, id: string, state: News["state"], revision = story.revision, { table = "task", stream = "1" }: Partial<News> = {}): Story =>
  story.observe("news", "operator/m1", { stream, snapshot: false, table, id, state }, { epoch: story.epoch, revision });

test("I25: news is the registry's own history", (t) => {
  rejected(t, tell(calm().running("t1"), "L-t1", "TASK_STAGING"), "I25", /told that L-t1 is TASK_STAGING at revision 14, where it was TASK_RUNNING/);
  accepted(t, tell(calm().running("t1"), "L-t1", "TASK_RUNNING"), "I25");
  untested(t, calm(), "I25");
});

test("I25: of several words about one revision the last counts", (t) => {
  const story = tell(calm().running("t1"), "L-t1", "TASK_STAGING");
  accepted(t, tell(story, "L-t1", "TASK_RUNNING"), "I25");
});

test("I25: a change that is left out is found, but not between two streams", (t) => {
  const begun = (): Story => tell(calm(), "s1", "in", 11, { table: "agent" });
  const end = (story: Story, stream: string): Story => tell(tell(story.running("t1"), "L-t1", "TASK_RUNNING", 14, { stream }).subscribes("f2"), "f2", "subscribed", 15, { table: "framework", stream });
  rejected(t, end(begun(), "1"), "I25", /stream 1 did not tell that L-t1 is TASK_STAGING at revision 13/);
  accepted(t, end(begun(), "2"), "I25");
});

test("I25: what follows for tasks from an agent's row is news of each", (t) => {
  const silent = { beatGapMs: Infinity };
  const story = (): Story => tell(calm().running("t1"), "L-t1", "TASK_RUNNING").after(80_000).agent("s1", "unreachable");
  const agents = (told: Story): Story => tell(told, "s1", "unreachable", 15, { table: "agent" });
  const later = (told: Story): Story => tell(told.subscribes("f2"), "f2", "subscribed", 16, { table: "framework" });
  rejected(t, later(agents(story())), "I25", /did not tell that L-t1 is TASK_UNREACHABLE at revision 15/, silent);
  accepted(t, later(tell(agents(story()), "L-t1", "TASK_UNREACHABLE", 15)), "I25", silent);
});

test("I25: news that goes back is found", (t) => {
  const story = tell(calm().running("t1"), "L-t1", "TASK_RUNNING");
  rejected(t, tell(story, "s1", "in", 11, { table: "agent" }), "I25", /stream 1 told of revision 14, then of 11/);
});
