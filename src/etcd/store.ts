import type { Store } from "../ports/registry.ts";
import { EtcdClient } from "./client.ts";
import { etcdElection } from "./election.ts";
import { KeySpace } from "./keys.ts";
import { compileEtcdOptions, type EtcdOptions } from "./options.ts";
import { etcdRegistry } from "./registry.ts";

/**
 * Connects to etcd, in the background: the first call waits for it, by its own rules. Throws a RangeError for options
 * that cannot be right. Disposing closes all connections and leaves the lease to its fate: revoke it first if you can.
 */
export function connectStore(options: EtcdOptions): Store {
  const config = compileEtcdOptions(options);
  const keys = new KeySpace(config.prefix);
  const client = new EtcdClient(config);
  return {
    ...etcdRegistry(client, keys),
    ...etcdElection(client, keys),
    async [Symbol.asyncDispose]() {
      client.close();
    },
  };
}
