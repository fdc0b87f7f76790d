/** Outstanding offers: in this leader's memory only (10.2), each an amount the allocator has set aside. */
import { limits } from "../../model/limits.ts";
import { offerId } from "../../model/ids.ts";
import type { AgentRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { Offer as OfferMessage, OfferID } from "../../wire/gen/mesos/v1/mesos.ts";
import { Event_Type as EventType } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { Allocation } from "../allocator/settings.ts";
import { hostOf } from "./addresses.ts";
import { request } from "./allocation-request.ts";
import type { FrameworkStream, MasterState, Offer } from "./state.ts";
import type { Tx } from "./tx.ts";

/** Where Mesos agents serve HTTP when their info does not say. */
const DEFAULT_AGENT_PORT = 5051;

/**
 * Shortest time, seconds, before a framework is offered again what it just gave back. Mesos' refusals last at least an
 * allocation interval, too; without that, declining without a filter would be an endless quick exchange.
 */
const LEAST_REFUSAL = 1;

/** Offers in one event; a framework may want to see many at once. */
const OFFERS_AT_ONCE = 1_000;
/** Bytes of one event, well below `limits.messageBytes`: one that is above would end the stream, and the next one, too. */
const EVENT_BYTES = 4 * 1024 * 1024;

/** The offers of an OFFERS event to come. */
interface Batch {
  readonly messages: OfferMessage[];
  bytes: number;
}

/** Turns allocations into offers: OFFERS events for each framework, as few as bounded ones can be. */
export function make(state: MasterState, tx: Tx, allocations: readonly Allocation[]): void {
  const batches = new Map<FrameworkStream, Batch>();
  for (const { frameworkId, role, agentId, resources } of allocations) {
    const stream = state.frameworks.get(frameworkId);
    const agent = state.tables.agents.get(agentId);
    if (stream === undefined || agent === undefined || stream.offers.size >= limits.offersPerFramework) {
      state.allocator.returnOffer(frameworkId, role, agentId, resources, undefined, tx.now);
      continue;
    }
    const id = offerId({ epoch: state.epoch, nonce: state.idNonce }, state.counters.offer++);
    const offer: Offer = { id, frameworkId, agentId, role, resources };
    keep(state, stream, offer, tx.now);
    const bytes = bytesOf(tx, offer, agent);
    let batch = batches.get(stream);
    if (batch !== undefined && (batch.messages.length === OFFERS_AT_ONCE || batch.bytes + bytes > EVENT_BYTES)) {
      sayOffers(tx, stream, batch);
      batch = undefined;
    }
    if (batch === undefined) batches.set(stream, (batch = { messages: [], bytes: 0 }));
    batch.messages.push(offerMessage(stream, offer, agent));
    batch.bytes += bytes;
  }
  for (const [stream, batch] of batches) sayOffers(tx, stream, batch);
}

function sayOffers(tx: Tx, { session }: FrameworkStream, { messages }: Batch): void {
  tx.say({ kind: "event", session, event: { type: EventType.OFFERS, offers: { offers: messages } } });
}

/** An offer ended without an answer for this long: the deadline `offer/<id>`. */
export function due(state: MasterState, tx: Tx, id: string): void {
  rescind(state, tx, id);
}

/** Takes an offer out of the books without returning its resources; undefined when it is not outstanding. */
export function take(state: MasterState, id: string): Offer | undefined {
  const offer = state.offers.get(id);
  if (offer === undefined) return undefined;
  state.offers.delete(id);
  state.frameworks.get(offer.frameworkId)?.offers.delete(id);
  const onAgent = state.offersByAgent.get(offer.agentId);
  onAgent?.delete(id);
  if (onAgent?.size === 0) state.offersByAgent.delete(offer.agentId);
  state.deadlines.clear(`offer/${id}`);
  return offer;
}

/** Withdraws an offer and tells its framework. */
export function rescind(state: MasterState, tx: Tx, id: string): void {
  const offer = discard(state, id, tx.now);
  const stream = offer === undefined ? undefined : state.frameworks.get(offer.frameworkId);
  if (stream === undefined) return;
  const event = { type: EventType.RESCIND, rescind: { offerId: { value: id } } };
  tx.say({ kind: "event", session: stream.session, event });
}

/** Withdraws what was offered of an agent that is away, went inactive or changed. */
export function rescindAgent(state: MasterState, tx: Tx, agentId: string): void {
  for (const id of [...(state.offersByAgent.get(agentId) ?? [])]) rescind(state, tx, id);
}

/** Withdraws a framework's offers in roles it left. */
export function rescindRoles(state: MasterState, tx: Tx, stream: FrameworkStream, kept: readonly string[]): void {
  for (const id of [...stream.offers]) {
    const offer = state.offers.get(id);
    if (offer !== undefined && !kept.includes(offer.role)) rescind(state, tx, id);
  }
}

/** Withdraws everything: what the offers rested on was undone (3.5). */
export function rescindAll(state: MasterState, tx: Tx): void {
  for (const id of [...state.offers.keys()]) rescind(state, tx, id);
}

/** Drops a framework's offers without a word: its stream is gone (Mesos 6.5). */
export function dropAll(state: MasterState, stream: FrameworkStream, now: number): void {
  for (const id of [...stream.offers]) discard(state, id, now);
}

/** DECLINE: offers of others or already gone are ignored. */
export function decline(
  state: MasterState,
  stream: FrameworkStream,
  ids: readonly OfferID[],
  refuseSeconds: number | undefined,
  now: number,
): void {
  for (const { value: id = "" } of ids) {
    if (stream.offers.has(id)) giveBack(state, take(state, id)!, refuseSeconds, now);
  }
}

/** Returns what a framework did not want of an offer. `refuseSeconds` as in Filters. */
export function giveBack(
  state: MasterState,
  offer: Pick<Offer, "frameworkId" | "role" | "agentId" | "resources">,
  refuseSeconds: number | undefined,
  now: number,
): void {
  const seconds = refuseSeconds !== undefined && refuseSeconds >= 0 ? Math.max(refuseSeconds, LEAST_REFUSAL) : undefined;
  state.allocator.returnOffer(offer.frameworkId, offer.role, offer.agentId, offer.resources, seconds, now);
  request(state, now);
}

/** Returns an offer that was taken out of the books, without a filter. */
export function release(state: MasterState, offer: Offer, now: number): void {
  state.allocator.returnOffer(offer.frameworkId, offer.role, offer.agentId, offer.resources, 0, now);
  request(state, now);
}

function discard(state: MasterState, id: string, now: number): Offer | undefined {
  const offer = take(state, id);
  if (offer !== undefined) release(state, offer, now);
  return offer;
}

/** Enters an amount that the allocator has set aside into the books, as an offer. */
export function keep(state: MasterState, stream: FrameworkStream, offer: Offer, now: number): void {
  state.offers.set(offer.id, offer);
  stream.offers.add(offer.id);
  const onAgent = state.offersByAgent.get(offer.agentId);
  if (onAgent === undefined) state.offersByAgent.set(offer.agentId, new Set([offer.id]));
  else onAgent.add(offer.id);
  if (state.settings.offerTimeoutMs > 0) state.deadlines.set(`offer/${offer.id}`, now + state.settings.offerTimeoutMs);
}

/** At least what an offer's message takes: what the agent told of itself, and for each resource the roles again. */
function bytesOf(tx: Tx, { agentId, role, resources }: Offer, agent: AgentRecord): number {
  const own = 1_024 + resources.entries.length * (64 + 3 * role.length);
  return tx.sizeOf({ kind: "a", id: agentId, record: agent }) + own;
}

/** The offer as its framework understands it (Mesos 6.1; without MULTI_ROLE there is no allocation_info). */
function offerMessage(stream: FrameworkStream, offer: Offer, agent: AgentRecord): OfferMessage {
  const info = agent.info;
  const hostname = info?.hostname ?? "";
  const multiRole = stream.capabilities.has("MULTI_ROLE");
  return {
    id: { value: offer.id },
    frameworkId: { value: offer.frameworkId },
    agentId: { value: offer.agentId },
    hostname,
    url: {
      scheme: "http",
      address: { hostname, ip: hostOf(agent.address) || hostname, port: info?.port ?? DEFAULT_AGENT_PORT },
      path: "/slave(1)",
      query: [],
    },
    attributes: info?.attributes ?? [],
    executorIds: [],
    ...(info?.domain === undefined ? {} : { domain: info.domain }),
    ...(multiRole ? { allocationInfo: { role: offer.role } } : {}),
    resources: offer.resources.toMesos({
      allocationRole: multiRole ? offer.role : undefined,
      reservations: stream.capabilities.has("RESERVATION_REFINEMENT") ? "refined" : "role",
    }),
  };
}
