/**
 * Errors that reach a person or a peer. Each says what happened and where; `remedy` says what to do next.
 *
 * A `MesarchError` is an operational failure. A bug is an `AssertionFailure` (see assert.ts) and ends the process;
 * a domain "no" is an ordinary value, not an exception.
 */

export type ErrorCode =
  /** A peer or the store cannot be reached, or is going away. */
  | "unavailable"
  /** No master leads at the moment, or the one asked does not. */
  | "no_leader"
  | "not_found"
  /** Understood, and not allowed for this principal. */
  | "refused"
  /** The request is malformed or contradicts itself. */
  | "invalid"
  /** The request contradicts the present state: already exists, or changed since it was read. */
  | "conflict"
  /** A bound was reached: quota, queue, disk, rate. */
  | "exhausted"
  /** No answer in time. The request may still have taken effect. */
  | "timed_out"
  /** Given up by whoever asked. */
  | "cancelled"
  | "internal"
  /** It is not known who asks. */
  | "unauthenticated";

export interface ErrorTreatment {
  /** gRPC status number. */
  readonly grpc: number;
  /** HTTP status number. */
  readonly http: number;
  /** Exit code of the command line; part of its interface. */
  readonly exit: number;
  /** The same request may succeed when repeated after a pause. Repeat only what is idempotent: see `timed_out`. */
  readonly retryable: boolean;
}

/** How each door shows each code. 499 is nginx's "client closed request": nobody is left to read it. */
export const errorTable: { readonly [C in ErrorCode]: ErrorTreatment } = Object.freeze({
  unavailable: { grpc: 14, http: 503, exit: 2, retryable: true },
  no_leader: { grpc: 14, http: 503, exit: 2, retryable: true },
  not_found: { grpc: 5, http: 404, exit: 3, retryable: false },
  refused: { grpc: 7, http: 403, exit: 4, retryable: false },
  invalid: { grpc: 3, http: 400, exit: 4, retryable: false },
  conflict: { grpc: 10, http: 409, exit: 1, retryable: false },
  exhausted: { grpc: 8, http: 429, exit: 1, retryable: true },
  timed_out: { grpc: 4, http: 504, exit: 124, retryable: true },
  cancelled: { grpc: 1, http: 499, exit: 130, retryable: false },
  internal: { grpc: 13, http: 500, exit: 1, retryable: false },
  unauthenticated: { grpc: 16, http: 401, exit: 4, retryable: false },
});

export interface ErrorDetail {
  /** What the reader can do next, as a sentence. Default: nothing is suggested. */
  readonly remedy?: string | undefined;
  /** What led to this; kept as `cause`. */
  readonly cause?: unknown;
}

export class MesarchError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string | undefined;

  /** `message`: what happened and where, without a final full stop. */
  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "MesarchError";
    this.code = code;
    this.remedy = detail.remedy;
  }
}

/**
 * Anything thrown, as a `MesarchError`: itself if it is one; `cancelled` and `timed_out` for what an abort signal
 * throws; `internal` otherwise, with the original as cause.
 */
export function toMesarchError(error: unknown): MesarchError {
  if (error instanceof MesarchError) return error;
  const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
  const code = name === "AbortError" ? "cancelled" : name === "TimeoutError" ? "timed_out" : "internal";
  return new MesarchError(code, message, { cause: error });
}

/** A chain longer than this is cut: causes may form a cycle. */
const MAX_CHAIN = 16;

/**
 * The messages of an error and its causes, outermost first, one line each. The members of an `AggregateError` follow
 * it in their order. A system code (ECONNREFUSED) is added where the message lacks it; an empty message becomes the
 * error's name. Never throws.
 */
export function errorChain(error: unknown): string[] {
  const lines: string[] = [];
  const pending: unknown[] = [error];
  while (pending.length > 0 && lines.length < MAX_CHAIN) {
    const current = pending.shift();
    lines.push(describe(current));
    if (!(current instanceof Error)) continue;
    if (current.cause !== undefined) pending.unshift(current.cause);
    if (current instanceof AggregateError) pending.unshift(...current.errors);
  }
  return lines;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) {
    try {
      return String(error);
    } catch {
      return "a thrown value without a text form";
    }
  }
  const message = error.message || error.name;
  const code = "code" in error && !(error instanceof MesarchError) ? error.code : undefined;
  return typeof code === "string" && !message.includes(code) ? `${message} (${code})` : message;
}
