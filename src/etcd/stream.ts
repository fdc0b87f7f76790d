import type { IDuplexStream, IEvent, IWatchRequest, IWatchResponse } from "etcd3";
import { onAbort } from "../async/abort.ts";
import { StoreUnavailable } from "../ports/store-errors.ts";
import type { EtcdClient } from "./client.ts";
import { streaming } from "./endpoint.ts";
import { storeError } from "./faults.ts";
import type { KeyRange } from "./keys.ts";

/** A member that does not confirm a watch within this time, in milliseconds, is left for another. */
const CREATED_TIMEOUT_MS = 1_000;

export type StreamEnd =
  | { readonly kind: "aborted" }
  | { readonly kind: "compacted"; readonly compactRevision: number }
  /** The connection or the member failed, and the client has turned to another one. */
  | { readonly kind: "broken" };

/**
 * One watch stream on one member, from a revision on. `deliver` gets the events of whole revisions, in order; what it
 * throws ends the stream and is thrown. The caller resumes a broken stream after the last event delivered, not after
 * the last header seen: etcd numbers its answers ahead of the events it still has to send.
 */
export async function watchOnce(
  client: EtcdClient,
  range: KeyRange,
  from: number,
  deliver: (events: readonly IEvent[]) => void,
  signal: AbortSignal,
): Promise<StreamEnd> {
  const endpoint = client.endpoint();
  const lost = endpoint.lost;
  const broken = (cause: unknown): StreamEnd => {
    const error = storeError("watch", endpoint.address, cause);
    client.avoid(endpoint, error instanceof StoreUnavailable ? error : new StoreUnavailable("watch", endpoint.address, error.message, false, { cause }));
    return { kind: "broken" };
  };
  if (signal.aborted || client.closed) return { kind: "aborted" };

  let stream: IDuplexStream<IWatchRequest, IWatchResponse>;
  try {
    stream = await endpoint.etcd.watchClient.watch(streaming());
  } catch (cause) {
    return broken(cause);
  }
  return new Promise((resolve, reject) => {
    let events: IEvent[] = [];
    let ended = false;
    const stopListening: (() => void)[] = [];
    const end = (settle: () => void): void => {
      if (ended) return;
      ended = true;
      clearTimeout(created);
      for (const stop of stopListening) stop();
      stream.end(); // first, or etcd3 takes the cancellation for a failure of the host
      stream.cancel();
      settle();
    };
    const fail = (cause: unknown): void => end(() => resolve(client.closed ? { kind: "aborted" } : broken(cause)));
    const created = setTimeout(() => fail(new Error(`watch not confirmed within ${CREATED_TIMEOUT_MS} ms`)), CREATED_TIMEOUT_MS);

    stream.on("error", fail);
    stream.on("end", () => fail(new Error("stream ended")));
    stream.on("data", (response) => {
      if (ended) return;
      if (response.created) clearTimeout(created);
      if (response.canceled) {
        const compactRevision = Number(response.compact_revision);
        if (compactRevision > 0) end(() => resolve({ kind: "compacted", compactRevision }));
        else fail(new Error(`watch cancelled: ${response.cancel_reason}`));
        return;
      }
      events = events.length === 0 ? response.events : events.concat(response.events);
      if (response.fragment || events.length === 0) return; // a fragment may end within a revision
      const whole = events;
      events = [];
      try {
        deliver(whole);
      } catch (error) {
        end(() => reject(error));
      }
    });
    // Last, since both may have fired while the stream was being opened.
    stopListening.push(onAbort(signal, () => end(() => resolve({ kind: "aborted" }))));
    stopListening.push(onAbort(lost, () => fail(new Error("the member does not answer any more"))));
    if (!ended) stream.write({ create_request: { key: range.start, range_end: range.end, start_revision: from } });
  });
}
