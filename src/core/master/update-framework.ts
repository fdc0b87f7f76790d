/** UPDATE_FRAMEWORK: new info for a subscribed framework; 200 when it is durable. */
import { limits } from "../../model/limits.ts";
import type { Change } from "../registry/change.ts";
import type { Call_UpdateFramework } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import { rolesOf } from "./framework-info.ts";
import * as frameworks from "./frameworks.ts";
import * as offers from "./offers.ts";
import { sameContent } from "./same-content.ts";
import type { FrameworkStream, MasterState } from "./state.ts";
import type { Answer } from "./scheduler-calls.ts";
import type { Tx } from "./tx.ts";
import { frameworkError, immutableFieldError } from "./validate-framework.ts";

export function updateFramework(state: MasterState, tx: Tx, stream: FrameworkStream, call: Call_UpdateFramework): Answer {
  const before = state.tables.frameworks.get(stream.frameworkId)!;
  const info = call.frameworkInfo!;
  const error =
    frameworkError(info, call.suppressedRoles, call.offerConstraints) ?? immutableFieldError(before.info, info);
  if (error !== undefined) return { code: 400, message: error };
  const principal = before.info?.principal;
  const record = {
    ...before,
    info: { ...info, ...(principal === undefined ? {} : { principal }) },
    suppressedRoles: [...call.suppressedRoles],
  };
  const change: Change = { kind: "f", id: stream.frameworkId, record };
  if (tx.sizeOf(change) > limits.infoBytes) {
    return { code: 400, message: `FrameworkInfo is larger than ${limits.infoBytes} bytes` };
  }
  if (!sameContent(before, record)) {
    tx.put(change);
    offers.rescindRoles(state, tx, stream, rolesOf(record.info));
    frameworks.infoChanged(state, tx, stream, record);
  }
  return { code: 200, message: "" };
}
