/** Who may subscribe, as whom: everything a SUBSCRIBE is checked against (1.4, 10.1; Mesos 4.2). */
import { NO_EPOCH } from "../../base/epoch.ts";
import { frameworkId as makeFrameworkId, issuedWithin, parseIssuedId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { FrameworkRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { FrameworkInfo } from "../../wire/gen/mesos/v1/mesos.ts";
import type { Input } from "./input.ts";
import { sameContent } from "./same-content.ts";
import type { MasterState } from "./state.ts";
import type { Tx } from "./tx.ts";
import { frameworkError, subscribeCallError } from "./validate-framework.ts";

export type Admission =
  /** `record` is the table's own when nothing has to be written. */
  | { readonly kind: "admitted"; readonly frameworkId: string; readonly record: FrameworkRecord }
  /** Ends in an ERROR event: the framework should not come back like this. */
  | { readonly kind: "refused"; readonly message: string }
  /** Not now. */
  | { readonly kind: "unavailable" };

const REMOVED = "Framework has been removed";

export function admit(state: MasterState, tx: Tx, input: Extract<Input, { kind: "subscribe" }>): Admission {
  const { call, principal } = input;
  const malformed = subscribeCallError(call, principal);
  if (malformed !== undefined) return refused(malformed);
  const subscribe = call.subscribe!;
  const info = subscribe.frameworkInfo!;
  const invalid = frameworkError(info, subscribe.suppressedRoles, subscribe.offerConstraints);
  if (invalid !== undefined) return refused(invalid);

  const given = info.id?.value ?? "";
  const known = given === "" ? undefined : state.tables.frameworks.get(given);
  if (known === undefined ? wasRemoved(state, given) : known.standing?.$case === "removedAt") return refused(REMOVED);
  const owner = principal === "" ? (info.principal ?? "") : principal;
  if (known !== undefined && known.principal !== owner) {
    return refused("Changing framework's principal is not allowed");
  }
  if (state.readOnly !== "") {
    return known === undefined ? { kind: "unavailable" } : { kind: "admitted", frameworkId: given, record: known };
  }

  const owned = owner === "" ? info : { ...info, principal: owner };
  const record = subscribedRecord(state, known, owned, subscribe.suppressedRoles);
  if (tx.sizeOf({ kind: "f", id: given, record }) > limits.infoBytes) {
    return refused(`FrameworkInfo is larger than ${limits.infoBytes} bytes`);
  }
  const frameworkId = given === "" ? newId(state) : given;
  const named: FrameworkRecord = { ...record, principal: owner, info: { ...record.info!, id: { value: frameworkId } } };
  return { kind: "admitted", frameworkId, record: known !== undefined && sameContent(known, named) ? known : named };
}

/** An id of our own form without a row was removed, for ever (1.4). */
export function wasRemoved(state: MasterState, id: string): boolean {
  const issued = parseIssuedId(id);
  if (issued?.kind !== "framework") return false;
  return issuedWithin(issued, state.epoch, state.tables.meta?.lastEpochBefore ?? NO_EPOCH);
}

function newId(state: MasterState): string {
  return makeFrameworkId({ epoch: state.epoch, nonce: state.idNonce }, state.counters.framework++);
}

/** `user` and `checkpoint` silently keep what they were (Mesos 4.3). */
function subscribedRecord(
  state: MasterState,
  known: FrameworkRecord | undefined,
  info: FrameworkInfo,
  suppressedRoles: readonly string[],
): FrameworkRecord {
  const kept = known?.info === undefined ? info : { ...info, user: known.info.user, checkpoint: known.info.checkpoint };
  return {
    ...(known ?? { principal: "" }),
    info: kept,
    suppressedRoles: [...suppressedRoles],
    standing: { $case: "subscribed", value: { ...state.epoch } },
    lostByMaster: false,
  };
}

function refused(message: string): Admission {
  return { kind: "refused", message };
}
