/** The queue of candidates: read, and followed. */
import type { IEvent } from "etcd3";
import type { Candidate } from "../ports/registry.ts";
import { StoreUnavailable } from "../ports/store-errors.ts";
import type { EtcdClient } from "./client.ts";
import type { KeySpace } from "./keys.ts";
import { watchOnce } from "./stream.ts";
import { candidatesOf, revision } from "./transactions.ts";

/** Linearizable; throws StoreUnavailable after the client's patience. */
export async function readCandidates(
  client: EtcdClient,
  keys: KeySpace,
  signal: AbortSignal,
): Promise<{ candidates: Candidate[]; revision: number }> {
  const request = { key: keys.candidates.start, range_end: keys.candidates.end };
  const patience = { signal, patienceMs: client.config.readPatienceMs };
  const response = await client.repeat("candidates", (etcd, options) => etcd.kv.range(request, options), patience);
  return { candidates: candidatesOf(keys, response.kvs), revision: revision(response.header.revision) };
}

/** Shows the set at once and after each change, across reconnects, until aborted. */
export async function watchCandidates(
  client: EtcdClient,
  keys: KeySpace,
  onChange: (candidates: readonly Candidate[], revision: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let shown: string | undefined;
  const show = (candidates: readonly Candidate[], at: number): void => {
    const text = candidates.map((each) => `${each.key}@${each.createRevision}`).join();
    if (text === shown) return; // read again after a broken stream, and nothing had happened
    shown = text;
    onChange(candidates, at);
  };
  for (let failures = 0; !signal.aborted && !client.closed; failures += 1) {
    const startedAt = performance.now();
    try {
      const read = await readCandidates(client, keys, signal);
      show(read.candidates, read.revision);
      let current: readonly Candidate[] = read.candidates;
      const deliver = (events: readonly IEvent[]): void => {
        failures = 0;
        current = applyEvents(keys, current, events);
        show(current, revision(events.at(-1)!.kv.mod_revision));
      };
      await watchOnce(client, keys.candidates, read.revision + 1, deliver, signal);
    } catch (error) {
      if (signal.aborted || client.closed) return;
      if (!(error instanceof StoreUnavailable)) throw error;
    }
    await client.pause(failures, startedAt, signal).catch(() => {});
  }
}

function applyEvents(keys: KeySpace, candidates: readonly Candidate[], events: readonly IEvent[]): Candidate[] {
  const byKey = new Map(candidates.map((each) => [each.key, each]));
  for (const { type, kv } of events) {
    const key = keys.relative(kv.key);
    byKey.delete(key);
    if (type !== "Delete") byKey.set(key, { key, createRevision: revision(kv.create_revision), value: kv.value });
  }
  return [...byKey.values()].sort((a, b) => a.createRevision - b.createRevision);
}
