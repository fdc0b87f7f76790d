/**
 * Folds what the registry's watch delivers into the tables (3.10), trusting nothing: a batch counts only if its head
 * follows the last one and announces as many rows as arrived.
 */
import { compareEpochs } from "../../base/epoch.ts";
import type { HeadRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { Change } from "./change.ts";
import type { Tables } from "./tables.ts";

/** All rows of one store revision, decoded. */
export interface DecodedBatch {
  readonly revision: number;
  readonly head: HeadRecord | undefined;
  readonly changes: readonly Change[];
}

export type FoldResult =
  | { readonly kind: "folded" }
  /** At or below the folded revision: seen before. */
  | { readonly kind: "skipped" }
  /** Events are missing: watch anew from the folded revision, or load. */
  | { readonly kind: "gap"; readonly detail: string }
  /** Rows changed without a head: somebody else writes here. Not folded. */
  | { readonly kind: "foreign"; readonly detail: string };

/** Where a fold stands. */
export interface FoldPosition {
  /** Store revision up to which the tables are complete. */
  revision: number;
  /** Mod-revision of the head row, as folded (2.4). */
  headModRevision: number;
}

export function fold(tables: Tables, position: FoldPosition, batch: DecodedBatch): FoldResult {
  if (batch.revision <= position.revision) return { kind: "skipped" };
  const head = batch.head;
  if (head === undefined) {
    const keys = batch.changes.slice(0, 5).map((change) => `${change.kind}/${change.id}`);
    return { kind: "foreign", detail: `revision ${batch.revision} changed ${keys.join(", ")} without a head` };
  }
  if (head.ops !== batch.changes.length) {
    return { kind: "gap", detail: `batch ${head.n} announces ${head.ops} rows, ${batch.changes.length} arrived` };
  }
  if (!follows(tables.head, head)) {
    return { kind: "gap", detail: `batch ${head.n} does not follow batch ${tables.head?.n ?? 0}` };
  }
  for (const change of batch.changes) tables.apply(change);
  tables.head = head;
  position.revision = batch.revision;
  position.headModRevision = batch.revision;
  return { kind: "folded" };
}

function follows(previous: HeadRecord | undefined, next: HeadRecord): boolean {
  const epoch = next.epoch;
  if (epoch === undefined) return false;
  if (previous?.epoch === undefined) return next.n === 1;
  const order = compareEpochs(epoch, previous.epoch);
  return order === 0 ? next.n === previous.n + 1 : order > 0 && next.n === 1;
}
