/** ACCEPT (Mesos 6): offers are used up, operations run in their order on what is left, the rest is declined. */
import { Resources } from "../../model/resources.ts";
import { Offer_Operation_Type as OperationType, TaskStatus_Reason as Reason } from "../../wire/gen/mesos/v1/mesos.ts";
import type { Offer_Operation, OfferID } from "../../wire/gen/mesos/v1/mesos.ts";
import type { Call_Accept } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import * as launch from "./launch.ts";
import * as offers from "./offers.ts";
import * as operations from "./operations.ts";
import { type FrameworkStream, type MasterState, type Offer, confirmedStream } from "./state.ts";
import type { Tx } from "./tx.ts";

const UNSUPPORTED = "is not supported by this version";

/** What the accepted offers give, still to be used. */
interface Grant extends launch.Grant {
  readonly kind: "granted";
}
/** The offers are not valid (Mesos 6.3). */
interface Denial {
  readonly kind: "denied";
  readonly message: string;
}

/** Whether an ACCEPT would write task rows. */
export function launchesAnything(call: Call_Accept): boolean {
  return call.operations.some(({ launch: launched }) => (launched?.taskInfos.length ?? 0) > 0);
}

export function accept(state: MasterState, tx: Tx, stream: FrameworkStream, call: Call_Accept, traceparent: string): void {
  const claim = claimOffers(state, stream, call.offerIds, tx.now);
  for (const operation of call.operations) run(state, tx, stream, operation, claim, traceparent);
  if (claim.kind === "granted") offers.giveBack(state, claim, call.filters?.refuseSeconds, tx.now);
}

function run(
  state: MasterState,
  tx: Tx,
  stream: FrameworkStream,
  operation: Offer_Operation,
  claim: Grant | Denial,
  traceparent: string,
): void {
  const id = operation.id?.value;
  switch (operation.type) {
    case OperationType.LAUNCH:
      for (const info of operation.launch?.taskInfos ?? []) {
        if (id !== undefined) launch.refuse(state, tx, stream, info, "An operation id on LAUNCH is not allowed");
        else if (claim.kind === "granted") launch.launch(state, tx, stream, info, claim, traceparent);
        else launch.launchWithoutOffer(state, tx, stream, info, claim.message);
      }
      return;
    case OperationType.LAUNCH_GROUP:
      for (const info of operation.launchGroup?.taskGroup?.tasks ?? []) {
        if (claim.kind === "denied") launch.launchWithoutOffer(state, tx, stream, info, claim.message);
        else launch.refuse(state, tx, stream, info, `LAUNCH_GROUP ${UNSUPPORTED}`, Reason.REASON_TASK_GROUP_INVALID);
      }
      return;
    default:
      operations.drop(tx, stream, id, claim.kind === "denied" ? claim.message : `The operation ${UNSUPPORTED}`);
  }
}

/** Takes the offers out of the books; if they are not valid together, all of them end without a filter (10.2). */
function claimOffers(state: MasterState, stream: FrameworkStream, ids: readonly OfferID[], now: number): Grant | Denial {
  const taken = new Map<string, Offer>();
  let message = ids.length === 0 ? "No offers specified" : undefined;
  for (const { value: id = "" } of ids) {
    const offer = stream.offers.has(id) ? state.offers.get(id) : undefined;
    if (taken.has(id)) message ??= `Offer ${id} is listed twice`;
    else if (offer === undefined) message ??= `Offer ${id} is no longer valid`;
    else taken.set(id, offer);
  }
  const [first] = taken.values();
  for (const { agentId, role } of taken.values()) {
    if (agentId !== first!.agentId) message ??= "Offers are of different agents";
    if (role !== first!.role) message ??= "Offers are of different roles";
  }
  if (first !== undefined && confirmedStream(state, first.agentId) === undefined) message ??= "The agent is away";
  for (const id of taken.keys()) offers.take(state, id);
  if (message !== undefined || first === undefined) {
    for (const offer of taken.values()) offers.release(state, offer, now);
    return { kind: "denied", message: message ?? "No offers specified" };
  }
  const resources = Resources.sum([...taken.values()].map((offer) => offer.resources));
  return { kind: "granted", frameworkId: stream.frameworkId, agentId: first.agentId, role: first.role, resources };
}
