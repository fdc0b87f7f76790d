import type {
  AgentRecord,
  FrameworkRecord,
  HistoryRecord,
  LeaderRecord,
  MetaRecord,
  TaskRecord,
  WeightRecord,
} from "../../wire/gen/mesarch/v1/registry.ts";

/** Row kinds by the letter their keys begin with. */
export interface RecordOf {
  meta: MetaRecord;
  f: FrameworkRecord;
  a: AgentRecord;
  t: TaskRecord;
  h: HistoryRecord;
  l: LeaderRecord;
  w: WeightRecord;
}

export type RowKind = keyof RecordOf;

/**
 * One row put (`record` present) or deleted. `id` is the key without its kind: a framework, agent or launch id, a
 * role, `<framework>/<slot>` for history, a slot for leaders, empty for `meta`.
 *
 * Records are values: never changed in place once they are in a change or a table.
 */
export type Change = { [K in RowKind]: { readonly kind: K; readonly id: string; readonly record: RecordOf[K] | undefined } }[RowKind];

export function rowKey(change: Change): string {
  return change.kind === "meta" ? "meta" : `${change.kind}/${change.id}`;
}
