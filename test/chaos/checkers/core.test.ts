/** I29: whatever is healthy does all that fits, and rests. */
import test from "ava";
import { calm, type Story } from "../history-builder.ts";
import { accepted, rejected, untested } from "../verdicts.ts";

const healed = (): Story => calm().phase("chaos").fault("broken", "master/m2").phase("healed");
const wishes = (story: Story, ...open: readonly string[]): Story => story.observe("wishes", "framework/f1", { of: "f1", open });

test("I29: what was wanted and did not come about is found", (t) => {
  rejected(t, wishes(healed(), "2 jobs missing"), "I29", /f1 did not get what it wants: 2 jobs missing/);
  accepted(t, wishes(healed()), "I29");
});

test("I29: leadership that changes when it should be calm is found", (t) => {
  const flaps = (): Story => healed().after(11_000).failsOver("m3", "1-30").commit();
  rejected(t, flaps().phase("final"), "I29", /m3 began to lead after it should have been calm/);
  accepted(t, healed().after(9_000).failsOver("m3", "1-30").commit().after(2_000).phase("final"), "I29");
  accepted(t, healed().after(11_000).phase("final").failsOver("m3", "1-30").commit(), "I29");
  untested(t, flaps().observe("hostStall", "host", { ms: 3_000 }).phase("final"), "I29");
});

test("I29: what was not healed, asked or waited for is untested", (t) => {
  untested(t, calm().after(60_000).failsOver("m3", "1-30").commit().phase("final"), "I29");
  untested(t, healed().after(60_000), "I29");
  untested(t, healed().after(5_000).phase("final"), "I29");
  untested(t, healed().after(60_000).phase("final"), "I29", { calmMs: undefined });
});
