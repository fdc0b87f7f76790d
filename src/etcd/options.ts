import { DEFAULT_PREFIX } from "./keys.ts";
import type { StoreUnavailable } from "../ports/store-errors.ts";

export interface EtcdTls {
  /** PEM bytes. The authority is needed; certificate and key go together. */
  readonly ca: Uint8Array;
  readonly certificate?: Uint8Array;
  readonly key?: Uint8Array;
}

/** How to reach etcd. Durations are milliseconds. */
export interface EtcdOptions {
  /** `http://host:port` or `https://host:port`, every member of the cluster. */
  readonly endpoints: readonly string[];
  readonly tls?: EtcdTls;
  /** Where all keys lie, `mesarch/` if not said. Two clusters on one etcd need two prefixes. */
  readonly prefix?: string;
  /**
   * How long each copy of a request may take, in turn; the last value goes on. Short first: a proposal that was on its
   * way to a dead etcd leader is lost without a word, and only the next copy finds the new one.
   */
  readonly copyTimeoutsMs?: readonly number[];
  /** How often each member is asked for its health, which keeps a warm connection to it. */
  readonly pulseMs?: number;
  /** How long a read is repeated before it throws StoreUnavailable. */
  readonly readPatienceMs?: number;
  /** Hears of each copy and each stream that failed: for logs and metrics. */
  readonly onTrouble?: (error: StoreUnavailable) => void;
}

export type EtcdConfig = Required<Omit<EtcdOptions, "tls">> & Pick<EtcdOptions, "tls">;

/** Checks the options and fills in what was not said. Throws a RangeError that names the option. */
export function compileEtcdOptions(options: EtcdOptions): EtcdConfig {
  if (options.endpoints.length === 0) throw new RangeError("etcd endpoints: at least one is needed");
  const schemes = new Set(options.endpoints.map((endpoint) => /^(https?):\/\/[^/]+$/.exec(endpoint)?.[1] ?? endpoint));
  for (const scheme of schemes) {
    if (scheme !== "http" && scheme !== "https") throw new RangeError(`etcd endpoint "${scheme}": http://host:port or https://host:port is needed`);
  }
  if (schemes.size > 1) throw new RangeError("etcd endpoints: http and https cannot be mixed");
  if ((options.tls?.key === undefined) !== (options.tls?.certificate === undefined)) {
    throw new RangeError("etcd TLS: certificate and key go together");
  }
  const config = {
    prefix: DEFAULT_PREFIX,
    copyTimeoutsMs: [300, 600, 1_000],
    pulseMs: 500,
    readPatienceMs: 5_000,
    onTrouble: () => {},
    ...options,
  };
  if (config.copyTimeoutsMs.length === 0) throw new RangeError("etcd copyTimeoutsMs: at least one is needed");
  return Object.freeze(config);
}
