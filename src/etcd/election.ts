import type { CallOptions } from "@grpc/grpc-js";
import type { Etcd3 } from "etcd3";
import { randomBytes } from "node:crypto";
import type { ElectionPort } from "../ports/registry.ts";
import { LeaseLost, StoreRefused } from "../ports/store-errors.ts";
import { readCandidates, watchCandidates } from "./candidates.ts";
import type { EtcdClient } from "./client.ts";
import type { KeySpace } from "./keys.ts";
import { candidatesOf, enqueueTxn, promoteTxn, rangeOf, removeTxn, revision } from "./transactions.ts";

/** Candidates, their lease and the promotion over etcd. */
export function etcdElection(client: EtcdClient, keys: KeySpace): ElectionPort {
  let lease: string | undefined;
  const reading = (signal: AbortSignal) => ({ signal, patienceMs: client.config.readPatienceMs });

  return {
    async grantLease(ttlSeconds, signal) {
      const id = randomLeaseId(); // named by us, so that a copy of the request grants nothing more
      try {
        await client.repeat("grant lease", (etcd, options) => etcd.leaseClient.leaseGrant({ ID: id, TTL: ttlSeconds }, options), { signal });
      } catch (error) {
        if (!(error instanceof StoreRefused) || !error.message.includes("lease already exists")) throw error;
      }
      lease = id;
    },

    async keepAlive(signal) {
      const id = lease;
      if (id === undefined) return false;
      return client.repeat("keep-alive", (etcd, options) => keepAliveOnce(etcd, id, options), reading(signal));
    },

    async enqueue(key, value, signal) {
      if (lease === undefined) throw new LeaseLost("enqueue", key, "no lease was granted");
      const request = enqueueTxn(keys, key, value, lease);
      const response = await client.repeat("enqueue", (etcd, options) => etcd.kv.txn(request, options), { signal });
      const candidates = candidatesOf(keys, rangeOf(response, -1).kvs);
      const own = candidates.find((each) => each.key === key)!; // put by this copy, or found by the compare
      return { createRevision: own.createRevision, candidates, revision: revision(response.header.revision) };
    },

    watchCandidates(onChange, signal) {
      return watchCandidates(client, keys, onChange, signal);
    },

    async promote(fence, head, accused, signal) {
      const request = promoteTxn(keys, fence, head, accused);
      const response = await client.repeat("promote", (etcd, options) => etcd.kv.txn(request, options), { signal });
      if (response.succeeded) {
        const candidates = candidatesOf(keys, rangeOf(response, -1).kvs);
        const first = candidates[0]?.createRevision === fence.createRevision;
        return first ? { kind: "leading", revision: revision(response.header.revision) } : { kind: "queued", candidates };
      }
      const own = rangeOf(response, 1).kvs[0];
      if (own === undefined || revision(own.create_revision) !== fence.createRevision) return { kind: "gone" };
      return { kind: "behind", headModRevision: revision(rangeOf(response, 0).kvs[0]?.mod_revision ?? "0") };
    },

    async remove(key, createRevision, signal) {
      const request = removeTxn(keys, key, createRevision);
      const response = await client.repeat("remove", (etcd, options) => etcd.kv.txn(request, options), { signal });
      return response.succeeded;
    },

    async candidates(signal) {
      return (await readCandidates(client, keys, signal)).candidates;
    },

    async revokeLease(signal) {
      const id = lease;
      if (id === undefined) return;
      lease = undefined;
      try {
        await client.repeat("revoke lease", (etcd, options) => etcd.leaseClient.leaseRevoke({ ID: id }, options), { signal });
      } catch (error) {
        if (!(error instanceof LeaseLost)) throw error; // expired, or an earlier copy did it
      }
    },
  };
}

/** One request on a stream of its own: a lasting stream would stay on a member that went silent. */
async function keepAliveOnce(etcd: Etcd3, id: string, options: CallOptions): Promise<boolean> {
  const stream = await etcd.leaseClient.leaseKeepAlive(options);
  try {
    return await new Promise<boolean>((resolve, reject) => {
      stream.on("data", (response) => resolve(Number(response.TTL) > 0));
      stream.on("error", reject);
      stream.on("end", () => reject(new Error("stream ended without an answer")));
      stream.write({ ID: id });
    });
  } finally {
    stream.end();
    stream.cancel();
  }
}


/** A positive 63-bit number, as etcd wants it. */
function randomLeaseId(): string {
  return String((randomBytes(8).readBigUInt64BE() >> 1n) | 1n);
}
