/** How many masters and agents play their part, and waiting until as many do again. */
import { delay, withDeadline } from "../../async/abort.ts";
import { MesarchError } from "../../base/errors.ts";
import type { OperatorClient } from "../../sdk/operator.ts";

export interface Strength {
  readonly masters: number;
  /** Confirmed ones. */
  readonly agents: number;
}

const LOOK_MS = 100;
const WHOLE_MS = 60_000;
/** One question: a leader that is about to go must not hold up the next look. */
const ANSWER_MS = 5_000;

export async function strengthOf(operator: OperatorClient, signal: AbortSignal): Promise<Strength> {
  const { masters, agentsConfirmed } = await operator.status({ signal });
  return { masters, agents: agentsConfirmed };
}

/** Resolves when every master follows and every agent is confirmed and known to each master, as before the fault. */
export async function whenWhole(operator: OperatorClient, strength: Strength, signal: AbortSignal): Promise<void> {
  using deadline = withDeadline(signal, WHOLE_MS);
  let missing = "no leader answered";
  try {
    for (;;) {
      missing = await lacking(operator, strength, deadline.signal).catch((error: Error) => {
        deadline.signal.throwIfAborted();
        return error.message;
      });
      if (missing === "") return;
      await delay(LOOK_MS, deadline.signal);
    }
  } catch (error) {
    if (signal.aborted || !deadline.signal.aborted) throw error;
    throw new MesarchError("timed_out", `the cluster was not whole again within ${WHOLE_MS / 1_000} s: ${missing}`, {
      remedy: "Does a supervisor start again what dies? See: mesarch master list, mesarch agent list",
    });
  }
}

/** What is not as it was; empty when nothing is. */
async function lacking(operator: OperatorClient, { masters, agents }: Strength, signal: AbortSignal): Promise<string> {
  const options = { signal, timeoutMs: ANSWER_MS };
  const status = await operator.status(options);
  const views = await operator.masters(options);
  const loading = views.filter(({ role }) => role === "loading").length;
  const connected = Math.min(...views.map(({ agentsConnected }) => agentsConnected));
  if (views.length < masters) return `${views.length} of ${masters} masters are there`;
  if (loading > 0) return `${loading} of ${masters} masters are loading`;
  if (status.agentsConfirmed < agents) return `${status.agentsConfirmed} of ${agents} agents are confirmed`;
  return connected < agents ? `a master has streams from ${connected} of ${agents} agents` : "";
}
