/** I8: a task runs at most once. */
import type { Evidence } from "./evidence.ts";
import { isEnd } from "./states-table.ts";
import { Tally, type Verdict } from "./verdict.ts";
import type { Life } from "./witnesses.ts";

/**
 * Tested: tasks that started. That a framework launches the same work again under another id is its own choice, and
 * nothing is said of it here.
 */
export function once(evidence: Evidence): readonly Verdict[] {
  const tally = new Tally("I8");
  const { byTask, strays } = evidence.witnesses;
  for (const [task, lives] of byTask) {
    tally.tested();
    for (const [index, life] of lives.entries()) {
      const before = lives[index - 1];
      if (before === undefined || isLaunchedAnew(evidence, before, life)) continue;
      tally.violated(
        `${task} started on ${before.agent} (pid ${before.start.value.pid}) and again on ${life.agent} (pid ${life.start.value.pid})`,
        before.start,
        life.start,
      );
    }
  }
  for (const stray of strays) tally.violated(`${stray.actor}: ${stray.op} of a process that had not started, or had ended`, stray);
  return [tally.verdict()];
}

/** Another launch of an id whose end its framework had heard of when it asked. */
function isLaunchedAnew(evidence: Evidence, before: Life, life: Life): boolean {
  if (before.launch === life.launch || before.nonce === life.nonce) return false;
  const heard = evidence.updates(life.task).find(({ t, value }) => t > before.start.t && isEnd(value.state));
  return heard !== undefined && evidence.attempts(life.task).some(({ invokedAt }) => invokedAt >= heard.t && invokedAt <= life.start.t);
}
