/**
 * An epoch names one leadership (rule 1.1): the registry's generation, which only a restore raises, and the
 * create-revision of the leader's candidate key. Compared as numbers, generation first.
 */
export interface Epoch {
  readonly generation: number;
  readonly revision: number;
}

export const NO_EPOCH: Epoch = Object.freeze({ generation: 0, revision: 0 });

/** Negative when `a` is older than `b`, 0 when they are the same leadership. */
export function compareEpochs(a: Epoch, b: Epoch): number {
  return a.generation - b.generation || a.revision - b.revision;
}

/** The form used in ids, logs and telemetry: `<generation>-<revision>`. */
export function epochText(epoch: Epoch): string {
  return `${epoch.generation}-${epoch.revision}`;
}
