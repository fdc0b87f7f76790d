import {
  EtcdLeaseInvalidError,
  EtcdPermissionDeniedError,
  EtcdAuthenticationFailedError,
  GRPCAlreadyExistsError,
  GRPCFailedPreconditionError,
  GRPCInvalidArgumentError,
  GRPCNotFoundError,
  GRPCOutOfRangeError,
  GRPCResourceExhastedError,
  GRPCUnauthenticatedError,
} from "etcd3";
import { LeaseLost, StoreCompacted, StoreError, StoreFull, StoreRefused, StoreUnavailable } from "../ports/store-errors.ts";

/** Refusals that repeating cannot change. */
const REFUSALS = [
  GRPCOutOfRangeError,
  GRPCFailedPreconditionError,
  GRPCAlreadyExistsError,
  GRPCNotFoundError,
  GRPCUnauthenticatedError,
  EtcdPermissionDeniedError,
  EtcdAuthenticationFailedError,
];

/** Said before the request leaves this process, or by a member that did not propose it: no copy can land. */
const NOT_SENT = /No connection established|etcdserver: no leader|Channel has been shut down|Channel closed/;

/** Whatever a call to etcd failed with, as what it means to us. Anything unknown counts as "no definite answer". */
export function storeError(operation: string, endpoint: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const options = { cause };
  if (cause instanceof EtcdLeaseInvalidError) return new LeaseLost(operation, endpoint, reason, options);
  if (reason.includes("required revision has been compacted")) return new StoreCompacted(operation, endpoint, reason, options);
  // A member that lags does not know the revision yet; another one does.
  if (reason.includes("required revision is a future revision")) return new StoreUnavailable(operation, endpoint, reason, false, options);
  if (cause instanceof GRPCResourceExhastedError) {
    if (reason.includes("database space exceeded")) return new StoreFull(operation, endpoint, reason, options);
    if (reason.includes("larger than max")) return new StoreRefused(operation, endpoint, reason, true, options);
  }
  if (cause instanceof GRPCInvalidArgumentError) return new StoreRefused(operation, endpoint, reason, true, options);
  if (REFUSALS.some((kind) => cause instanceof kind)) return new StoreRefused(operation, endpoint, reason, false, options);
  return new StoreUnavailable(operation, endpoint, reason, !NOT_SENT.test(reason), options);
}
