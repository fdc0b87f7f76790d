/**
 * Links to all masters and the session with the one that leads (8.2, 8.5, 12.1). Whatever is not said in the current
 * session, under the stored epoch, is not heard.
 */
import { type Epoch, NO_EPOCH, compareEpochs, epochText } from "../../base/epoch.ts";
import type { Confirm, ListWanted, MasterBatch, MasterMessage, Refusal } from "../../wire/gen/mesarch/v1/agents.ts";
import { Refusal_Kind as Kind } from "../../wire/gen/mesarch/v1/agents.ts";
import type { LinkId } from "./input.ts";
import { kill, launch, settle } from "./launches.ts";
import { epochId, greetingOf, isOlder, reportOf } from "./report.ts";
import { killAll } from "./runs.ts";
import type { AgentState, Leader } from "./state.ts";
import { acknowledge, sayHeads } from "./status-stream.ts";
import type { Step } from "./step.ts";

type Body = NonNullable<MasterMessage["body"]>;
/** What only the leader may say. */
type Order = Exclude<Body, { $case: "standby" | "lead" }>;
type Obey<C extends Order["$case"]> = (
  state: AgentState,
  step: Step,
  order: Extract<Order, { $case: C }>["value"],
  leader: Leader,
) => void;

const orders: { readonly [C in Order["$case"]]: Obey<C> } = {
  listWanted,
  confirm,
  refusal,
  launch,
  kill,
  acknowledge,
  settle,
  ping: (_state, step, { sequence }, { link, session }) => step.say(link, session, { $case: "pong", value: { sequence } }),
  resendUpdates: (state, step, { frameworkId }) => sayHeads(state, step, frameworkId),
  // There are no custom executors yet, so nobody here to tell.
  executorMessage: () => {},
};

/** All that is heard between report and confirm: meanwhile the set of what is held cannot change (8.5). */
const BEFORE_CONFIRM: ReadonlySet<Order["$case"]> = new Set(["listWanted", "confirm", "refusal", "ping"]);

export function linkOpened(state: AgentState, step: Step, link: LinkId): void {
  state.links.add(link);
  step.say(link, 0, { $case: "greeting", value: greetingOf(state) });
}

export function linkClosed(state: AgentState, _step: Step, link: LinkId): void {
  state.links.delete(link);
  if (state.leader?.link === link) dropLeader(state);
}

export function fromMaster(state: AgentState, step: Step, link: LinkId, batch: MasterBatch): void {
  for (const { body } of batch.messages) {
    // A link closed a moment ago may still have words in the queue.
    if (body === undefined || !state.links.has(link)) continue;
    if (body.$case === "standby") continue;
    if (body.$case === "lead") lead(state, step, link, batch, body.value.pingTimeoutMs);
    else obey(state, step, link, batch, body);
  }
}

/** Time is up: for the leader to be heard, or for us to report to it again. */
export function pingDue(state: AgentState, step: Step): void {
  const { leader } = state;
  if (leader === undefined) return;
  const due = leader.heardAt + leader.pingTimeoutMs;
  if (due > step.now) return state.deadlines.set("ping", due);
  dropLeader(state);
  step.output({ kind: "closeLink", link: leader.link, reason: `nothing heard for ${leader.pingTimeoutMs} ms` });
}

export function reportDue(state: AgentState, step: Step): void {
  if (state.leader !== undefined) report(state, step, state.leader);
}

function lead(state: AgentState, step: Step, link: LinkId, batch: MasterBatch, pingTimeoutMs: number): void {
  const epoch = epochOf(batch);
  const cluster = state.identity.clusterId;
  if (cluster !== "" && batch.clusterId !== cluster) {
    step.alarm(`cluster/${batch.clusterId}`, `a master of cluster ${batch.clusterId} leads; this agent is of ${cluster}`);
    return refuse(state, step, link, batch, `this agent belongs to cluster ${cluster}`);
  }
  if (isOlder(epoch, state.epoch)) return refuse(state, step, link, batch, `obeys epoch ${epochText(state.epoch)}`);
  // From here on nothing said in the old session is heard, though it may be in the queue already.
  dropLeader(state);
  const storedBefore = state.epoch;
  if (isOlder(storedBefore, epoch)) step.storeEpoch(epoch);
  if (storedBefore.generation < epoch.generation) state.confirmedOnce = false;
  const leader: Leader = {
    link,
    session: batch.session,
    clusterId: batch.clusterId,
    storedBefore,
    pingTimeoutMs,
    heardAt: step.now,
    confirmed: false,
    wantsList: false,
    wantsInfos: false,
  };
  state.leader = leader;
  if (pingTimeoutMs > 0) state.deadlines.set("ping", step.now + pingTimeoutMs);
  report(state, step, leader);
}

/** 12.1, and the epoch is compared when the word is acted on, not when it arrived. */
function obey(state: AgentState, step: Step, link: LinkId, batch: MasterBatch, order: Order): void {
  const epoch = epochOf(batch);
  if (isOlder(epoch, state.epoch)) return refuse(state, step, link, batch, `obeys epoch ${epochText(state.epoch)}`);
  const { leader } = state;
  if (leader?.link !== link || leader.session !== batch.session || compareEpochs(epoch, state.epoch) !== 0) return;
  leader.heardAt = step.now;
  if (!leader.confirmed && !BEFORE_CONFIRM.has(order.$case)) return;
  const handle = orders[order.$case] as Obey<typeof order.$case>;
  handle(state, step, order.value as never, leader);
}

function refuse(state: AgentState, step: Step, link: LinkId, batch: MasterBatch, reason: string): void {
  step.say(link, batch.session, {
    $case: "epochRefused",
    value: { storedEpoch: epochId(state.epoch), reason },
  });
}

function report(state: AgentState, step: Step, leader: Leader): void {
  for (const body of reportOf(state, leader)) step.say(leader.link, leader.session, body);
}

function listWanted(state: AgentState, step: Step, { withInfos }: ListWanted, leader: Leader): void {
  leader.wantsList = true;
  leader.wantsInfos = withInfos;
  report(state, step, leader);
}

function confirm(state: AgentState, step: Step, { agentId }: Confirm, leader: Leader): void {
  const { identity } = state;
  if (identity.agentId !== "" && identity.agentId !== agentId) {
    return step.alarm("identity", `confirmed as ${agentId}, but this agent is ${identity.agentId}; not obeyed`);
  }
  if (identity.agentId === "") {
    step.journal({ $case: "identity", value: { ...identity, agentId, clusterId: leader.clusterId } });
  }
  leader.confirmed = true;
  state.confirmedOnce = true;
  sayHeads(state, step);
}

function refusal(state: AgentState, step: Step, { kind, reason, retryMs }: Refusal, leader: Leader): void {
  switch (kind) {
    case Kind.KIND_GONE:
      state.leaving = reason;
      return killAll(state, step);
    case Kind.KIND_DUPLICATE:
      return step.output({ kind: "leave", reason: "duplicate", message: reason });
    case Kind.KIND_LATER:
      return state.deadlines.set("report", step.now + retryMs);
    default:
      step.alarm(`refusal/${kind}`, `the leader refuses this agent; its tasks go on: ${reason}`);
      leader.confirmed = false;
      state.deadlines.set("report", step.now + Math.max(retryMs, state.settings.invalidRetryMs));
  }
}

function dropLeader(state: AgentState): void {
  state.leader = undefined;
  state.deadlines.clear("ping");
  state.deadlines.clear("report");
}

function epochOf(batch: MasterBatch): Epoch {
  return batch.epoch ?? NO_EPOCH;
}
