/** The errors of this SDK: every rejection is a `MesarchError` or the reason of the caller's own signal. */
import { status, type ServiceError } from "@grpc/grpc-js";
import { MesarchError, type ErrorCode } from "../base/errors.ts";

export { MesarchError, errorTable, type ErrorCode, type ErrorDetail } from "../base/errors.ts";

/** Another subscription with the same framework id took over. This session is over; its tasks go on. */
export class FrameworkFailedOverError extends MesarchError {
  constructor(message: string) {
    super("conflict", message, {
      remedy: "Another process subscribed with the same framework id. Run one at a time, or give each its own id.",
    });
    this.name = "FrameworkFailedOverError";
  }
}

/** The framework was torn down, or stayed away longer than its failover timeout; its tasks are ended. */
export class FrameworkRemovedError extends MesarchError {
  constructor(message: string) {
    super("refused", message, { remedy: "A removed framework id is never accepted again: subscribe with a new one." });
    this.name = "FrameworkRemovedError";
  }
}

/** The error for an ERROR event, which ends a subscription for good. */
export function subscriptionError(message: string): MesarchError {
  if (/failed over/i.test(message)) return new FrameworkFailedOverError(message);
  if (/removed|torn down|completed/i.test(message)) return new FrameworkRemovedError(message);
  return new MesarchError("refused", `the master refused the subscription: ${message}`);
}

const codes: { readonly [status: number]: ErrorCode } = {
  [status.CANCELLED]: "cancelled",
  [status.INVALID_ARGUMENT]: "invalid",
  [status.OUT_OF_RANGE]: "invalid",
  [status.DEADLINE_EXCEEDED]: "timed_out",
  [status.NOT_FOUND]: "not_found",
  [status.ALREADY_EXISTS]: "conflict",
  [status.ABORTED]: "conflict",
  [status.FAILED_PRECONDITION]: "conflict",
  [status.PERMISSION_DENIED]: "refused",
  [status.UNAUTHENTICATED]: "unauthenticated",
  [status.RESOURCE_EXHAUSTED]: "exhausted",
  [status.UNAVAILABLE]: "unavailable",
};

/** A gRPC failure of `what` ("task list at 10.0.0.1:6050") as a `MesarchError`. */
export function grpcError(error: ServiceError, what: string): MesarchError {
  const [remedy] = error.metadata?.get("mesarch-remedy") ?? [];
  return new MesarchError(codes[error.code] ?? "internal", `${what}: ${error.details || error.message}`, {
    remedy: remedy === undefined ? undefined : decodeURIComponent(String(remedy)),
    cause: error,
  });
}

/** The error for the reply to a scheduler call with one of the HTTP API's codes. */
export function replyError(kind: string, code: number, message: string): MesarchError {
  const said = message === "" ? `code ${code}` : message;
  if (code === 403) return new MesarchError("refused", `${kind} was refused: ${said}`);
  if (code >= 400 && code < 500) return new MesarchError("invalid", `${kind} is not valid: ${said}`);
  return new MesarchError("internal", `${kind} failed in the master: ${said}`, {
    remedy: "Whether it took effect is not known: reconcile, then decide.",
  });
}
