/** The report of a history that was planted. */
import test from "ava";
import { check, isRed } from "../../../chaos/checkers/index.ts";
import type { RunRecord } from "../../../chaos/real/conclusion.ts";
import { report } from "../../../chaos/real/report/report.ts";
import { calm, type Story } from "../history-builder.ts";
import { OPTIONS } from "../verdicts.ts";

const EXPECTED = ["I1", "I8", "I9"];

function reported(story: Story) {
  const record: RunRecord = {
    command: "npm run chaos -- --seed 42",
    seed: 42,
    startedAt: "2026-01-02T03:04:05.678Z",
    network: "loopback",
    abilities: [{ name: "firewall", what: "packet filters", problem: "nft is missing (Debian package nftables)" }],
    options: OPTIONS,
    expected: EXPECTED,
  };
  const verdicts = check(story.events, OPTIONS);
  const red = verdicts.filter((verdict) => isRed(verdict, new Set(EXPECTED))).map(({ invariant }) => invariant);
  const { json, html } = report({ directory: "", events: story.events, verdicts, red, record });
  return { json: JSON.parse(json) as Record<string, any>, html };
}

function failover(task = "t1"): Story {
  return calm().running(task).beats(task, 3_000).fault("kill-leader", "master/m1").after(400).failsOver("m2", "1-50").framework("f1", "subscribed").beats(task, 3_000).over("kill-leader", "master/m1");
}

test("leaders, faults and failovers are told with their times", (t) => {
  const { json, html } = reported(failover().observe("recovery", "nemesis", { fault: "kill-leader", ms: 840 }));
  t.deepEqual(json["failovers"].map(({ from, to }: { from: string; to: string }) => [from, to]), [["m1", "m2"]]);
  t.deepEqual(json["faults"].map(({ name, targets }: { name: string; targets: string[] }) => [name, targets]), [["kill-leader", ["master/m1"]]]);
  t.like(json["recoveries"][0], { fault: "kill-leader", count: 1, p50: 840, p99: 840, max: 840 });
  t.true(json["tasks"].longestGapMs > 0 && json["tasks"].started === 1);
  t.is(json["command"], "npm run chaos -- --seed 42");
  for (const text of ["<title>m2 led epoch 1-50", "kill-leader: master/m1", "npm run chaos -- --seed 42", "nft is missing"]) t.true(html.includes(text), text);
});

test("a good run is held; a bad one names what is violated, with the events that show it", (t) => {
  t.is(reported(failover()).json["verdict"], "held");
  const { json, html } = reported(failover().signal("t1"));
  t.is(json["verdict"], "not held");
  t.deepEqual(json["red"], ["I9"]);
  t.regex(html, /<h1>Not held: I9<\/h1>/);
  t.regex(html, /t1 got TERM, and nobody had asked for it/);
  t.regex(html, /witnessSignal/);
});

test("the page needs nothing else, and nothing of a history becomes markup", (t) => {
  const { html } = reported(failover('<script>alert("x")</script>'));
  t.notRegex(html, /<script/i);
  t.notRegex(html, /(?:src|href)\s*=|@import|url\(/i);
  t.true(html.includes("&lt;script&gt;"));
});

test("a run of nothing can be told, too", (t) => {
  const { json } = reported(calm());
  t.deepEqual([json["failovers"], json["recoveries"]], [[], []]);
});
