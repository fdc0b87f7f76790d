/** Errors of ours as gRPC statuses, and back. */
import { Metadata, type ServiceError, type StatusObject } from "@grpc/grpc-js";
import { type ErrorCode, errorTable, MesarchError, toMesarchError } from "../base/errors.ts";

/** Metadata key that carries the code of ours exactly. */
const CODE_KEY = "mesarch-code";
const REMEDY_KEY = "mesarch-remedy";
/** Metadata key of a standby's hint: where the leader is. */
export const LEADER_KEY = "mesarch-leader";

export function toStatus(thrown: unknown, leaderAddress = ""): Partial<StatusObject> {
  const error = toMesarchError(thrown);
  const metadata = new Metadata();
  metadata.set(CODE_KEY, error.code);
  if (error.remedy !== undefined) metadata.set(REMEDY_KEY, encodeURIComponent(error.remedy));
  if (leaderAddress !== "") metadata.set(LEADER_KEY, leaderAddress);
  return { code: errorTable[error.code].grpc, details: error.message, metadata };
}

const byStatus = new Map<number, ErrorCode>(
  Object.entries(errorTable).toReversed().map(([code, { grpc }]) => [grpc, code as ErrorCode]),
);

export function fromStatus(error: ServiceError): MesarchError {
  const text = (key: string): string | undefined => error.metadata?.get(key)[0]?.toString();
  const code = text(CODE_KEY) as ErrorCode | undefined;
  const remedy = text(REMEDY_KEY);
  return new MesarchError(code ?? byStatus.get(error.code) ?? "internal", error.details, {
    remedy: remedy === undefined ? undefined : decodeURIComponent(remedy),
    cause: error,
  });
}
