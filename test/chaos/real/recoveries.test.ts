/** How long a recovery took is told from the history. */
import test from "ava";
import { recoveriesOf } from "../../../chaos/real/recoveries.ts";
import { calm, type Story } from "../history-builder.ts";

function durations(story: Story, answersAfter: "strike" | "undo" = "strike"): [string, number][] {
  return recoveriesOf(story.events, new Map([["kill-leader", answersAfter]])).flatMap((event) => (event.op === "recovery" ? [[event.value.fault, event.value.ms] as [string, number]] : []));
}

function launched(story: Story, task: string): Story {
  return story.launch(task).staged(task).ok();
}

test("from the fault to the first durable answer to what was asked after it", (t) => {
  const story = launched(calm(), "t1").after(1_000).launch("t2").fault("kill-leader", "master/m1");
  // What was under way when it struck says nothing.
  story.after(100).staged("t2").ok();
  const struckAt = story.events.find(({ op }) => op === "fault")!.t;
  story.after(700);
  launched(story, "t3");
  launched(story.after(500), "t4");
  t.deepEqual(durations(story), [["kill-leader", story.events.find((event) => event.kind === "ok" && event.op === "launch" && event.value.tasks[0]!.task === "t3")!.t - struckAt]]);
});

test("an answer without a row, as to offers of a leader that is gone, is no recovery", (t) => {
  t.deepEqual(durations(launched(calm(), "t1").fault("kill-leader", "master/m1").after(700).launch("t2").ok()), []);
});

test("of an outage: from when it was undone", (t) => {
  const story = launched(calm(), "t1").fault("kill-leader", "master/m1").after(20_000).over("kill-leader", "master/m1").after(300);
  launched(story, "t2");
  const [[, ms] = ["", 0]] = durations(story, "undo");
  t.true(ms > 290 && ms < 400, String(ms));
});
