/** What a scheduler is told: the events of the Mesos v1 API, and the comings and goings of leaders. */
import type { InverseOffer, Offer, OperationStatus, TaskStatus } from "../wire/gen/mesos/v1/mesos.ts";
import { Event_Type, type Event } from "../wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { Leader } from "./leader.ts";

export type SchedulerEvent =
  /** Subscribed, for the first time or again after a failover (`resumed`). */
  | { readonly type: "subscribed"; readonly frameworkId: string; readonly leader: Leader; readonly resumed: boolean }
  /** The stream is gone; the session looks for the next leader by itself. Calls made meanwhile wait. */
  | { readonly type: "disconnected"; readonly leader: Leader; readonly reason: string }
  /** A leader of another epoch serves this session now. Comes before its `subscribed`, or after it if that was heard first. */
  | { readonly type: "leaderChanged"; readonly from: Leader; readonly to: Leader }
  | { readonly type: "offers"; readonly offers: readonly Offer[] }
  /** These offers cannot be used any more: taken back by the master, or gone with the leader that made them. */
  | { readonly type: "rescinded"; readonly offerIds: readonly string[]; readonly cause: "master" | "leader" }
  /** A task's state. To be acknowledged when `status.uuid` is there; may come again until it is. */
  | { readonly type: "update"; readonly status: TaskStatus }
  | { readonly type: "message"; readonly agentId: string; readonly executorId: string; readonly data: Uint8Array }
  /** An agent is lost or removed or, with `executorId`, an executor ended with `status`. */
  | {
      readonly type: "failure";
      readonly agentId: string | undefined;
      readonly executorId: string | undefined;
      readonly status: number | undefined;
    }
  | { readonly type: "inverseOffers"; readonly offers: readonly InverseOffer[] }
  | { readonly type: "inverseOfferRescinded"; readonly offerId: string }
  | { readonly type: "operationUpdate"; readonly status: OperationStatus };

/** The event as shown to users; undefined for those the session deals with itself, and for kinds not known here. */
export function schedulerEvent(event: Event): SchedulerEvent | undefined {
  switch (event.type) {
    case Event_Type.OFFERS:
      return { type: "offers", offers: event.offers?.offers ?? [] };
    case Event_Type.RESCIND:
      return { type: "rescinded", offerIds: [event.rescind?.offerId?.value ?? ""], cause: "master" };
    case Event_Type.UPDATE:
      return event.update?.status && { type: "update", status: event.update.status };
    case Event_Type.MESSAGE:
      return {
        type: "message",
        agentId: event.message?.agentId?.value ?? "",
        executorId: event.message?.executorId?.value ?? "",
        data: event.message?.data ?? new Uint8Array(),
      };
    case Event_Type.FAILURE:
      return {
        type: "failure",
        agentId: event.failure?.agentId?.value,
        executorId: event.failure?.executorId?.value,
        status: event.failure?.status,
      };
    case Event_Type.INVERSE_OFFERS:
      return { type: "inverseOffers", offers: event.inverseOffers?.inverseOffers ?? [] };
    case Event_Type.RESCIND_INVERSE_OFFER:
      return {
        type: "inverseOfferRescinded",
        offerId: event.rescindInverseOffer?.inverseOfferId?.value ?? "",
      };
    case Event_Type.UPDATE_OPERATION_STATUS:
      return event.updateOperationStatus?.status && { type: "operationUpdate", status: event.updateOperationStatus.status };
    default:
      return undefined;
  }
}

/** True for what a master tells without waiting for an acknowledgement: nobody says it again. */
export function isToldOnce(event: SchedulerEvent): boolean {
  if (event.type === "update") return (event.status.uuid?.length ?? 0) === 0;
  return event.type === "operationUpdate" || event.type === "failure";
}
