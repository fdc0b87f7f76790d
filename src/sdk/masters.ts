/** Where masters are: a list of `host:port` as people write it. */
import { MesarchError } from "../base/errors.ts";

/** Port of a master's gRPC door unless the address names one. */
export const DEFAULT_MASTER_PORT = 6050;

/** More addresses than this are a mistake: a cluster has three or five masters. */
const MAX_MASTERS = 32;

/**
 * Reads a comma list or an array of `host`, `host:port` or `[ipv6]:port`; blanks and repetitions are dropped.
 *
 *     parseMasters("10.0.0.1, 10.0.0.2:6051")   // ["10.0.0.1:6050", "10.0.0.2:6051"]
 *
 * Throws `MesarchError` "invalid" for an empty list or an address that is none.
 */
export function parseMasters(masters: string | readonly string[]): string[] {
  const parts = (typeof masters === "string" ? masters.split(",") : masters).map((part) => part.trim());
  const addresses = [...new Set(parts.filter((part) => part !== "").map(parseAddress))];
  if (addresses.length === 0) {
    throw new MesarchError("invalid", "the list of masters is empty", {
      remedy: `Name at least one master as host:port, for example 127.0.0.1:${DEFAULT_MASTER_PORT}.`,
    });
  }
  if (addresses.length > MAX_MASTERS) {
    throw new MesarchError("invalid", `the list names ${addresses.length} masters; at most ${MAX_MASTERS} are taken`);
  }
  return addresses;
}

function parseAddress(text: string): string {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === undefined || Number(port ?? DEFAULT_MASTER_PORT) > 65_535) {
    throw new MesarchError("invalid", `"${text}" is not the address of a master`, {
      remedy: "Write host:port, or [ipv6]:port, without a scheme.",
    });
  }
  return `${host}:${port ?? DEFAULT_MASTER_PORT}`;
}
