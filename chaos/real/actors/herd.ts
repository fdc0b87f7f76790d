/**
 * A herd as one process: thousands of simulated agents, whose resources are their role's own, and hundreds of frameworks
 * that hold whatever they are offered of them. Its first argument says as JSON how many; its state goes over node's channel.
 */
import { SimulatedAgents } from "../../../scripts/bench/simulated-agents.ts";
import { epochText } from "../../../src/base/epoch.ts";
import { FileSink, Recorder } from "../../history/recorder.ts";
import { monotonicMs } from "../monotonic.ts";
import { RecordedSession } from "./recorded-session.ts";

export interface HerdSize {
  readonly agents: number;
  readonly frameworks: number;
}

export interface HerdPlan extends HerdSize {
  /** "h1" */
  readonly name: string;
  readonly masters: readonly string[];
  readonly histories: string;
}

export interface HerdState {
  /** Agents whose books the leader has confirmed. */
  readonly confirmed: number;
  /** Frameworks that have a stream. */
  readonly subscribed: number;
}

const ROLE = "herd";
const STATE_MS = 100;
const FAILOVER_TIMEOUT_SECONDS = 3_600;
/** Agents of others are not for them. */
const FOR_LONG_SECONDS = 3_600;

async function play(id: string, plan: HerdPlan, recorder: Recorder, sessions: Set<RecordedSession>): Promise<void> {
  const session = await RecordedSession.connect({ id, masters: plan.masters, failoverTimeoutSeconds: FAILOVER_TIMEOUT_SECONDS, roles: [ROLE] }, recorder);
  sessions.add(session);
  for await (const event of session.events()) {
    if (event.type !== "offers") continue;
    for (const offer of event.offers) if (offer.hostname?.startsWith(plan.name) !== true) session.decline(offer, FOR_LONG_SECONDS);
  }
}

function main(plan: HerdPlan): void {
  const sink = new FileSink(`${plan.histories}/herd-${plan.name}.jsonl`);
  const recorder = new Recorder(monotonicMs, sink);
  const agents = new SimulatedAgents({ masters: plan.masters, count: plan.agents, resources: `cpus(${ROLE}):8;mem(${ROLE}):16384`, name: plan.name });
  const sessions = new Set<RecordedSession>();
  for (let i = 1; i <= plan.frameworks; i += 1) void play(`${plan.name}-${i}`, plan, recorder, sessions);
  const obeyed = new Map<string, string>();
  /** They keep no history of their own: each epoch is written down when it is seen. */
  const obeys = (actor: string, agent: string, epoch: string): void => {
    if (agent === "" || obeyed.get(actor) === epoch) return;
    obeyed.set(actor, epoch);
    recorder.record({ actor, kind: "observe", op: "agentObeys", epoch, value: { agent } });
  };
  setInterval(() => {
    const subscribed = [...sessions].filter((session) => session.subscribed).length;
    for (const [index, { id, epoch }] of agents.agents.entries()) obeys(`agent/${plan.name}-${index}`, id, epochText(epoch));
    process.send?.({ confirmed: agents.counts.confirmed, subscribed } satisfies HerdState);
  }, STATE_MS);
  const end = (): void => {
    sink.close();
    process.exit(0);
  };
  process.once("SIGTERM", end);
  process.on("disconnect", end);
}

main(JSON.parse(process.argv[2]!) as HerdPlan);
