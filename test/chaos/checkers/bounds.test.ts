/** I27, I28 and I30; what a run has to exercise; and what every checker takes for granted. */
import test from "ava";
import { combined, isRed, SHOWN_IN_SIMULATION, type Verdict } from "../../../chaos/checkers/index.ts";
import { calm, type Story } from "../history-builder.ts";
import { accepted, rejected, untested, verdictOn } from "../verdicts.ts";

const usage = (story: Story, rssMb: number, descriptors = 30): Story => story.observe("process", "host", { name: "master/m1", rssMb, descriptors });

test("I27: a process that does not come back to rest is found", (t) => {
  const loaded = (): Story => usage(usage(calm().phase("quiet"), 100).phase("chaos"), 900).phase("settled");
  rejected(t, usage(loaded(), 160), "I27", /master\/m1 rests at 160 MB, and none of its kind at more than 100 before/);
  accepted(t, usage(loaded(), 157), "I27");
  rejected(t, usage(loaded(), 100, 50), "I27", /master\/m1 rests at 50 descriptors/);
  untested(t, loaded(), "I27");
});

const recovered = (story: Story, ms: number): Story => story.after(ms).observe("recovery", "nemesis", { fault: "killMaster", ms });

test("I28: a recovery that takes too long, or never comes, is found", (t) => {
  const killed = (): Story => calm().fault("killMaster", "master/m1");
  rejected(t, recovered(killed(), 2_500), "I28", /recovery from killMaster took 2500 ms, and may take 2000/);
  accepted(t, recovered(killed(), 1_900), "I28");
  rejected(t, killed().after(5_000).commit(), "I28", /nothing tells of a recovery from killMaster of master\/m1/);
  untested(t, calm().fault("other", "master/m1").after(5_000).commit(), "I28");
});

const launches = (story: Story, count: number, ms: number): Story => {
  for (let i = 0; i < count; i++) {
    const task = `t${story.events.length}`;
    story.launch(task).after(ms).toldByMaster(task, "TASK_ERROR").ok();
  }
  return story;
};

test("I30: launches that wait for a lost member of the store are found", (t) => {
  const oneDown = (ms: number): Story => launches(launches(calm(), 20, 18).fault("killMember", "etcd/e2").after(5_000), 20, ms);
  rejected(t, oneDown(61), "I30", /took 63 ms at most with a member of the store down, and 20 ms with all of them/);
  accepted(t, oneDown(58), "I30");
  untested(t, launches(calm().fault("killMember", "etcd/e2").after(5_000), 40, 5), "I30");
});

test("coverage: a run that did less than it should is untested, and says what is missing", (t) => {
  const wanted = {
    calls: { launch: 2 },
    faults: { killMaster: 1 },
    marks: ["kill beat launch"],
    failovers: 1,
    fenced: 1,
    redeliveries: 1,
  };
  const poor = calm().running("t1");
  untested(t, poor, "coverage", { coverage: wanted });
  t.deepEqual(
    verdictOn(poor.events, "coverage", { recoveryBoundsMs: {}, beatGapMs: 1_000, settleMs: 1_000, coverage: wanted }).findings.map(({ what }) => what),
    [
      "launch done: 1, and 2 were to be",
      "fault killMaster: 0, and 1 were to be",
      'mark "kill beat launch": 0, and 1 were to be',
      "failovers: 0, and 1 were to be",
      "fenced writes refused: 0, and 1 were to be",
      "updates told again: 0, and 1 were to be",
    ],
  );
  const rich = poor.launched("t2").told("t1").fault("killMaster", "master/m1").failsOver("m2", "1-30").commit();
  recovered(rich, 100).observe("fenced", "master/m1", { master: "m1" }, { epoch: "1-5" }).observe("mark", "nemesis", { name: "kill beat launch" });
  accepted(t, rich, "coverage", { coverage: wanted });
});

test("coverage: a kind of call that never succeeded is untested", (t) => {
  untested(t, calm().kill("t9").fail(), "coverage");
  accepted(t, calm(), "coverage");
});

test("history: outcomes of nothing, second outcomes and changed words are found", (t) => {
  rejected(t, calm().teardown().ok().ok(), "history", /framework\/f1: ok of teardown 2 has no place/);
  const changed = calm().launch("t1").ok();
  const answer = changed.events.pop()!;
  changed.events.push({ ...answer, value: { framework: "f1", offers: [], agent: "s1", tasks: [] } } as never);
  rejected(t, changed, "history", /launch 2 was asked and answered with different words/);
  accepted(t, calm().launch("t1").unknown(), "history");
});

test("history: numbers, phases and owners of tasks are checked", (t) => {
  const story = calm();
  story.events.push({ ...story.events[0]!, t: story.now });
  rejected(t, story, "history", /two events are number 1/);
  rejected(t, calm().phase("chaos").phase("quiet"), "history", /phase quiet comes after chaos/);
  rejected(t, calm().launch("t1").unknown().launch("t1", { framework: "f2" }), "history", /f1 and f2 both launch t1/);
});

test("complaints: one is enough", (t) => {
  rejected(t, calm().observe("complaint", "master/m1", { of: "m1", message: "unhandled rejection" }), "complaints", /m1: unhandled rejection/);
  accepted(t, calm(), "complaints");
});

test("what is red depends on what is expected", (t) => {
  const untestedRest: Verdict = { invariant: "I27", outcome: "untested", findings: [], violations: 0, tested: 0 };
  t.true(isRed(untestedRest, new Set(["I27"])));
  t.false(isRed(untestedRest, SHOWN_IN_SIMULATION));
  t.true(isRed({ ...untestedRest, outcome: "violated" }, SHOWN_IN_SIMULATION));
});

test("of many runs each invariant has to be tested in one, and broken in none", (t) => {
  const verdict = (outcome: Verdict["outcome"], tested: number, findings: Verdict["findings"] = []): Verdict => ({ invariant: "I8", outcome, findings, violations: findings.length, tested });
  const finding = { what: "twice", events: [1] };
  t.deepEqual(combined([[verdict("untested", 0, [finding])], [verdict("held", 3)]]), [{ ...verdict("held", 3), violations: 1 }]);
  t.deepEqual(combined([[verdict("held", 3)], [verdict("violated", 2, [finding])]]), [verdict("violated", 5, [finding])]);
});
