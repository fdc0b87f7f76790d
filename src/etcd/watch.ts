import type { IEvent } from "etcd3";
import type { RevisionChanges, RowWrite, WatchEnd } from "../ports/registry.ts";
import type { EtcdClient } from "./client.ts";
import { CANDIDATES, META, type KeySpace } from "./keys.ts";
import { watchOnce } from "./stream.ts";
import { revision } from "./transactions.ts";

/** What tells one history of a store from another (3.11): a restore changes one of these. */
export interface History {
  clusterId: string | undefined;
  /** Mod-revision of `meta` as last read or watched. */
  metaModRevision: number | undefined;
}

/** Follows all rows from `from` on, across broken streams. See `RegistryPort.watch`. */
export async function watchRows(
  client: EtcdClient,
  keys: KeySpace,
  history: History,
  from: number,
  onChanges: (changes: readonly RevisionChanges[]) => void,
  signal: AbortSignal,
): Promise<WatchEnd> {
  let next = from;
  let failures = 0;
  const deliver = (events: readonly IEvent[]): void => {
    const changes = groupByRevision(keys, events, history);
    next = revision(events.at(-1)!.kv.mod_revision) + 1;
    failures = 0;
    if (changes.length > 0) onChanges(changes);
  };
  while (!signal.aborted && !client.closed) {
    const startedAt = performance.now();
    try {
      const detail = await wentBack(client, keys, history, next, signal);
      if (detail !== undefined) return { kind: "wentBack", detail };
    } catch (error) {
      if (signal.aborted || client.closed) break;
      throw error;
    }
    const end = await watchOnce(client, keys.all, next, deliver, signal);
    if (end.kind !== "broken") return end;
    await client.pause(failures, startedAt, signal).catch(() => {});
    failures += 1;
  }
  return { kind: "aborted" };
}

/** A watch from a future revision would wait in silence and then skip, so look first (3.11). */
async function wentBack(client: EtcdClient, keys: KeySpace, history: History, next: number, signal: AbortSignal): Promise<string | undefined> {
  const { header, kvs } = await client.repeat("watch", (etcd, options) => etcd.kv.range({ key: keys.key(META) }, options), { signal });
  const now = revision(header.revision);
  if (now < next - 1) return `the store is at revision ${now}, below ${next - 1} which was seen before`;
  if (history.clusterId !== undefined && history.clusterId !== header.cluster_id) {
    return `the store is etcd cluster ${header.cluster_id}, not ${history.clusterId}`;
  }
  history.clusterId = header.cluster_id;
  const metaModRevision = kvs[0] === undefined ? 0 : revision(kvs[0].mod_revision);
  if (metaModRevision >= next) return undefined; // the watch will show it
  if (history.metaModRevision !== undefined && history.metaModRevision !== metaModRevision) {
    return `meta was written at revision ${metaModRevision}, not ${history.metaModRevision}: another history`;
  }
  history.metaModRevision = metaModRevision;
  return undefined;
}

function groupByRevision(keys: KeySpace, events: readonly IEvent[], history: History): RevisionChanges[] {
  const changes: { revision: number; writes: RowWrite[] }[] = [];
  for (const { type, kv } of events) {
    const key = keys.relative(kv.key);
    if (key.startsWith(CANDIDATES)) continue;
    const at = revision(kv.mod_revision);
    if (key === META) history.metaModRevision = type === "Delete" ? 0 : at;
    let last = changes.at(-1);
    if (last?.revision !== at) changes.push((last = { revision: at, writes: [] }));
    last.writes.push(type === "Delete" ? { key } : { key, value: kv.value });
  }
  return changes;
}
