/** ACCEPT (Mesos 6): offers are used up, operations run in their order on what is left, the rest is declined. */
import { Resources } from "../../model/resources.ts";
import { Offer_Operation_Type as OperationType, TaskStatus_Reason as Reason } from "../../wire/gen/mesos/v1/mesos.ts";
import type { Offer_Operation, OfferID } from "../../wire/gen/mesos/v1/mesos.ts";
import type { Call_Accept } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { AcceptItem, AcceptRest } from "./input.ts";
import * as launch from "./launch.ts";
import * as offers from "./offers.ts";
import * as operations from "./operations.ts";
import { type FrameworkStream, type MasterState, type Offer, confirmedStream } from "./state.ts";
import type { Tx } from "./tx.ts";

/** Tasks and other operations handled in one step: a few milliseconds. The rest follows in steps of its own (3.8). */
const ITEMS_AT_ONCE = 100;
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

/** Begins an ACCEPT, and ends it if it is short; else what is left of it is returned, for `goOn`. */
export function accept(
  state: MasterState,
  tx: Tx,
  stream: FrameworkStream,
  { operations, offerIds, filters }: Call_Accept,
  traceparent: string,
): AcceptRest | undefined {
  const items = operations.flatMap(itemsOf);
  return goOn(state, tx, stream, { items, offerIds, refuseSeconds: filters?.refuseSeconds }, traceparent);
}

/**
 * Handles the next items. What they leave of the offers stays an offer until the rest is handled, so that it ends like
 * any other when its agent goes away in between.
 */
export function goOn(
  state: MasterState,
  tx: Tx,
  stream: FrameworkStream,
  asked: AcceptRest,
  traceparent: string,
): AcceptRest | undefined {
  const { offerIds, refuseSeconds, denied } = asked;
  const claim: Grant | Denial =
    denied === undefined ? claimOffers(state, stream, offerIds, tx.now) : { kind: "denied", message: denied };
  for (const item of asked.items.slice(0, ITEMS_AT_ONCE)) run(state, tx, stream, item, claim, traceparent);
  const items = asked.items.slice(ITEMS_AT_ONCE);
  if (items.length === 0) {
    if (claim.kind === "granted") offers.giveBack(state, claim, refuseSeconds, tx.now);
    return undefined;
  }
  if (claim.kind === "denied") return { ...asked, items, denied: claim.message };
  const [first] = offerIds;
  offers.keep(state, stream, { ...claim, id: first!.value! }, tx.now);
  return { ...asked, items, offerIds: [first!] };
}

function itemsOf(operation: Offer_Operation): readonly AcceptItem[] {
  switch (operation.type) {
    case OperationType.LAUNCH:
      return (operation.launch?.taskInfos ?? []).map((task) => ({ operation, task }));
    case OperationType.LAUNCH_GROUP:
      return (operation.launchGroup?.taskGroup?.tasks ?? []).map((task) => ({ operation, task }));
    default:
      return [{ operation }];
  }
}

function run(
  state: MasterState,
  tx: Tx,
  stream: FrameworkStream,
  { operation: { id: operationId, type }, task }: AcceptItem,
  claim: Grant | Denial,
  traceparent: string,
): void {
  const id = operationId?.value;
  if (task === undefined) operations.drop(tx, stream, id, claim.kind === "denied" ? claim.message : `The operation ${UNSUPPORTED}`);
  else if (type === OperationType.LAUNCH && id !== undefined) launch.refuse(state, tx, stream, task, "An operation id on LAUNCH is not allowed");
  else if (claim.kind === "denied") launch.launchWithoutOffer(state, tx, stream, task, claim.message);
  else if (type === OperationType.LAUNCH) launch.launch(state, tx, stream, task, claim, traceparent);
  else launch.refuse(state, tx, stream, task, `LAUNCH_GROUP ${UNSUPPORTED}`, Reason.REASON_TASK_GROUP_INVALID);
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
