import type { ITxnResponse } from "etcd3";
import type { Batch, BatchResult, Fence, RegistryPort } from "../ports/registry.ts";
import { StoreCompacted, StoreFull, StoreRefused, StoreUnavailable } from "../ports/store-errors.ts";
import type { EtcdClient } from "./client.ts";
import { META, type KeySpace } from "./keys.ts";
import { loadRows } from "./load.ts";
import { QuotaReader } from "./size.ts";
import { barrierTxn, bootstrapTxn, candidatesOf, commitTxn, rangeOf, revision } from "./transactions.ts";
import { watchRows, type History } from "./watch.ts";

const QUOTA_TIMEOUT_MS = 1_000;

/** The registry over etcd: batches, barriers, loading and watching. */
export function etcdRegistry(client: EtcdClient, keys: KeySpace): RegistryPort {
  const history: History = { clusterId: undefined, metaModRevision: undefined };
  const quota = new QuotaReader(client.config.tls);
  const reading = (signal: AbortSignal) => ({ signal, patienceMs: client.config.readPatienceMs });

  return {
    async bootstrap(meta, head, signal) {
      const request = bootstrapTxn(keys, meta, head);
      const response = await client.repeat("bootstrap", (etcd, options) => etcd.kv.txn(request, options), reading(signal));
      const found = response.succeeded ? meta : rangeOf(response, 0).kvs[0]!.value;
      return { meta: found, revision: revision(response.header.revision) };
    },

    async load(onChunk, signal) {
      const loaded = await loadRows(client, keys, onChunk, signal);
      history.clusterId = loaded.clusterId;
      history.metaModRevision = loaded.metaModRevision;
      return { revision: loaded.revision, headModRevision: loaded.headModRevision };
    },

    watch(from, onChanges, signal) {
      return watchRows(client, keys, history, from, onChanges, signal);
    },

    async commit(batch, signal, onAttempt) {
      const request = commitTxn(keys, batch);
      let inDoubt = false;
      try {
        const response = await client.repeat("commit", (etcd, options) => etcd.kv.txn(request, options), {
          signal,
          onAttempt(error) {
            inDoubt ||= error instanceof StoreUnavailable && error.inDoubt;
            onAttempt?.(error);
          },
          // "Full" is no answer while an earlier copy may still land (3.5); nor is any refusal but "malformed".
          retry: (error) => error instanceof StoreUnavailable || (error instanceof StoreFull && inDoubt) || (error instanceof StoreRefused && !error.malformed),
        });
        const result = settle(keys, batch, response);
        // Our own writing of `meta` is no sign of another history (3.11).
        if (result.kind === "committed" && batch.writes.some(({ key }) => key === META)) history.metaModRevision = result.revision;
        return result;
      } catch (error) {
        if (error instanceof StoreFull) return { kind: "noSpace" };
        if (error instanceof StoreRefused) return { kind: "invalid", detail: error.message };
        throw error;
      }
    },

    async barrier(fence: Fence, signal) {
      const request = barrierTxn(keys, fence);
      const response = await client.repeat("barrier", (etcd, options) => etcd.kv.txn(request, options), { signal });
      if (!response.succeeded) return { kind: "deposed" };
      return { kind: "passed", revision: revision(response.header.revision), candidates: candidatesOf(keys, rangeOf(response, -1).kvs) };
    },

    async compact(before, signal) {
      try {
        await client.repeat("compact", (etcd, options) => etcd.kv.compact({ revision: before }, options), reading(signal));
      } catch (error) {
        if (!(error instanceof StoreCompacted)) throw error; // compacted further already
      }
    },

    async size(signal) {
      const { dbSize, dbSizeInUse } = await client.repeat("size", (etcd, options) => etcd.maintenance.status(options), reading(signal));
      // What compaction freed is used again, though the file keeps its size.
      const usedBytes = Number(dbSizeInUse) || Number(dbSize);
      return { usedBytes, quotaBytes: await quota.read(client.endpoint().address, QUOTA_TIMEOUT_MS) };
    },
  };
}

/** Rule 3.3: "compare failed" alone says nothing, since an earlier copy of this batch may be the reason. */
function settle(keys: KeySpace, { fence, head }: Batch, response: ITxnResponse): BatchResult {
  if (response.succeeded) return { kind: "committed", revision: revision(response.header.revision) };
  const headRow = rangeOf(response, 0).kvs[0];
  const ownRow = rangeOf(response, 1).kvs[0];
  if (ownRow === undefined || revision(ownRow.create_revision) !== fence.createRevision) return { kind: "deposed" };
  if (headRow?.value.equals(head)) return { kind: "committed", revision: revision(headRow.mod_revision) };
  const where = headRow === undefined ? "is gone" : `was written at revision ${headRow.mod_revision}`;
  return { kind: "intruder", detail: `${keys.key("head").toString()} ${where}, by somebody else` };
}
