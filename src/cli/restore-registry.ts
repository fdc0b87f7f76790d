/** Tells a registry that it comes out of a backup, or is all that is left (13.2). */
import { NO_EPOCH } from "../base/epoch.ts";
import { MesarchError } from "../base/errors.ts";
import type { RestorePort } from "../ports/registry.ts";
import { HeadRecord, MetaRecord } from "../wire/gen/mesarch/v1/registry.ts";
import { REGISTRY_FORMAT } from "../wire/registry-codec.ts";

export interface RestoreOptions {
  /** The backup is lost: begin empty under this cluster id; everything is adopted from the agents. */
  readonly emptyClusterId?: string;
  /** Seconds since 1970. */
  readonly nowSeconds: number;
}

/** Raises the generation, so that agents obey the leaders to come and nothing of the backup starts late. Returns it. */
export async function restoreRegistry(port: RestorePort, options: RestoreOptions, signal: AbortSignal): Promise<number> {
  const found = await port.read(signal);
  const { emptyClusterId } = options;
  if (found === undefined && emptyClusterId === undefined) {
    throw new MesarchError("not_found", "the store holds no registry", {
      remedy: "Restore etcd from a backup first. Without one: mesarch registry restore --empty --cluster ID",
    });
  }
  if (found !== undefined && emptyClusterId !== undefined) {
    throw new MesarchError("conflict", "the store is not empty", { remedy: "Leave out --empty, or name an empty store or another --etcd-prefix." });
  }
  const old = found === undefined ? undefined : MetaRecord.decode(found.meta);
  if (old !== undefined && old.format > REGISTRY_FORMAT) {
    throw new MesarchError("refused", `the registry is of format ${old.format}; this version writes up to ${REGISTRY_FORMAT}`, {
      remedy: "run the newer version of mesarch that wrote it",
    });
  }
  const generation = Math.max((old?.generation ?? 0) + 1, options.nowSeconds);
  const meta: MetaRecord = {
    ...old,
    clusterId: old?.clusterId ?? emptyClusterId!,
    generation,
    format: old?.format ?? REGISTRY_FORMAT,
    // Of what was before an empty registry nothing is remembered; but that there was something, is (1.4, 5.4).
    lastEpochBefore: found === undefined ? { ...NO_EPOCH } : HeadRecord.decode(found.head).epoch,
  };
  const outcome = await port.replaceMeta(found?.meta, MetaRecord.encode(meta).finish(), signal);
  if (outcome === "replaced") return generation;
  throw new MesarchError("conflict", outcome === "masters" ? "a master is running or was until just now" : "the registry changed meanwhile", {
    remedy: "Stop all masters, wait until their lease has expired (5 seconds), and try again.",
  });
}
