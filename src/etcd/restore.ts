import type { ICompare } from "etcd3";
import type { RestorePort } from "../ports/registry.ts";
import { EtcdClient } from "./client.ts";
import { HEAD, KeySpace, META } from "./keys.ts";
import { compileEtcdOptions, type EtcdOptions } from "./options.ts";
import { candidatesOf, rangeOf } from "./transactions.ts";

/** Access to the registry of a stopped cluster, for an operator's restore (13.2). */
export function connectForRestore(options: EtcdOptions): RestorePort {
  const config = compileEtcdOptions(options);
  const keys = new KeySpace(config.prefix);
  const client = new EtcdClient(config);
  const meta = keys.key(META);
  const head = keys.key(HEAD);
  const { start, end } = keys.candidates;
  // True for an empty range: nobody queues.
  const nobodyQueues = { key: start, range_end: end, target: "Create", result: "Equal", create_revision: 0 } as ICompare;

  return {
    async read(signal) {
      const request = { compare: [], success: [{ request_range: { key: meta } }, { request_range: { key: head } }], failure: [] };
      const response = await client.repeat("restore", (etcd, call) => etcd.kv.txn(request, call), { signal });
      const rows = [0, 1].map((index) => rangeOf(response, index).kvs[0]?.value);
      return rows[0] === undefined ? undefined : { meta: rows[0], head: rows[1] ?? new Uint8Array() };
    },

    async replaceMeta(before, after, signal) {
      const unchanged: ICompare =
        before === undefined
          ? { key: meta, target: "Create", result: "Equal", create_revision: 0 }
          : { key: meta, target: "Value", result: "Equal", value: Buffer.from(before) };
      const puts = [{ request_put: { key: meta, value: Buffer.from(after) } }];
      if (before === undefined) puts.push({ request_put: { key: head, value: Buffer.alloc(0) } });
      const request = {
        compare: [nobodyQueues, unchanged],
        success: puts,
        failure: [{ request_range: { key: start, range_end: end } }, { request_range: { key: meta } }],
      };
      const response = await client.repeat("restore", (etcd, call) => etcd.kv.txn(request, call), { signal });
      if (response.succeeded) return "replaced";
      // An earlier copy of this very request may have been the one that took effect.
      if (rangeOf(response, 1).kvs[0]?.value.equals(Buffer.from(after)) === true) return "replaced";
      return candidatesOf(keys, rangeOf(response, 0).kvs).length > 0 ? "masters" : "changed";
    },

    async [Symbol.asyncDispose]() {
      client.close();
    },
  };
}
