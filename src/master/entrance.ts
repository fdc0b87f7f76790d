/** What a master does before it may queue: find or make the registry, and make sure its name is its own (2.14). */
import { delay } from "../async/abort.ts";
import { MesarchError } from "../base/errors.ts";
import type { MasterDeps } from "./master.ts";
import type { MasterOptions } from "./options.ts";
import { HeadRecord, MetaRecord } from "../wire/gen/mesarch/v1/registry.ts";
import { decodeCandidate, REGISTRY_FORMAT } from "../wire/registry-codec.ts";

/** Pause before trying an unreachable store again. */
const STORE_RETRY_MS = 200;
/** An unreachable store is mentioned again after this many tries. */
const TRIES_PER_WARNING = 25;
const PROBE_MS = 1_000;

/** Waits for the store, however long; returns the registry's meta row, made if there was none. */
export async function bootstrap(deps: MasterDeps, signal: AbortSignal): Promise<MetaRecord> {
  const { store, random } = deps;
  const meta: MetaRecord = { clusterId: random.hex(16), generation: 1, format: REGISTRY_FORMAT, lastEpochBefore: undefined };
  const head: HeadRecord = { epoch: undefined, master: "", n: 0, ops: 0, clusterClock: 0 };
  const [metaBytes, headBytes] = [MetaRecord.encode(meta).finish(), HeadRecord.encode(head).finish()];
  const found = await patiently(deps, signal, () => store.bootstrap(metaBytes, headBytes, signal));
  return MetaRecord.decode(found.meta);
}

async function patiently<T>({ clock, telemetry }: MasterDeps, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || (error instanceof MesarchError && error.code === "refused")) throw error;
      if (attempt % TRIES_PER_WARNING === 0) telemetry.log.warn("the store does not answer; waiting for it", { error });
      await delay(STORE_RETRY_MS, signal, clock);
    }
  }
}

/** Keys of the own name are an earlier life's, or another master's with this name: the former go, the latter is refused. */
export async function clearOwnName(options: MasterOptions, deps: MasterDeps, signal: AbortSignal): Promise<void> {
  const { store, peers } = deps;
  for (const candidate of await patiently(deps, signal, () => store.candidates(signal))) {
    const record = decodeCandidate(candidate.key, candidate.value);
    if (record?.master !== options.name) continue;
    // This process holds the port of its own address, so nobody else can be there.
    const outcome = record.address === options.address ? "refused" : await peers.probe(record.address, PROBE_MS);
    if (outcome === "accepted") {
      throw new MesarchError("refused", `another master named ${options.name} runs at ${record.address}`, {
        remedy: "give each master a name of its own (--name)",
      });
    }
    if (outcome === "refused") await patiently(deps, signal, () => store.remove(candidate.key, candidate.createRevision, signal));
  }
}
