/** What must hold of an agent after every step; checked by tests and the simulation. */
import { Digest } from "../../model/digest.ts";
import { Resources } from "../../model/resources.ts";
import { isTerminal } from "../../model/task-state.ts";
import type { AgentState } from "./state.ts";
import { stateOf } from "./status-stream.ts";

/** RUNNING, KILLING and an end: only the agent makes updates, each once, so that nothing a command does adds to them. */
const UPDATES_PER_TASK = 3;

/** Each violation as a sentence; none if all is well. */
export function violations(state: Readonly<AgentState>): string[] {
  const found: string[] = [];
  const expect = (holds: boolean, text: string): void => void (holds || found.push(text));

  expect(Digest.of(state.tasks.keys()).equals(state.digest), "the digest is not that of what is held (9.1)");
  let used = Resources.none;
  for (const [launchId, task] of state.tasks) {
    const { updates, acknowledged, phase } = task;
    if (phase !== "ended") {
      expect(!used.meets(task.resources), `launch ${launchId} shares a port or an item with another task`);
      used = used.add(task.resources);
    }
    const all = acknowledged === undefined ? updates : [acknowledged, ...updates];
    expect(updates.length <= UPDATES_PER_TASK, `launch ${launchId} has ${updates.length} updates (13.4)`);
    expect(
      all.every((update, i) => i === 0 || update.seq === all[i - 1]!.seq + 1),
      `launch ${launchId} has a gap in its updates`,
    );
    expect(
      all.every((update, i) => isTerminal(stateOf(update)) === (phase === "ended" && i === all.length - 1)),
      `launch ${launchId} is ${phase}, but its updates say otherwise (7.4)`,
    );
    expect(
      acknowledged === undefined || !isTerminal(stateOf(acknowledged)),
      `launch ${launchId} is acknowledged to the end and not forgotten (7.3)`,
    );
  }
  expect(used.equals(state.used), "resources in use are not the sum of what runs");
  expect(state.leader === undefined || state.links.has(state.leader.link), "the leader's link is not open");
  return found;
}
