/** Epochs as the history writes them (rule 1.1). */
import { compareEpochs, type Epoch } from "../../src/base/epoch.ts";

export function parseEpoch(text: string): Epoch {
  const match = /^(\d+)-(\d+)$/.exec(text);
  if (match === null) throw new RangeError(`'${text}' is no epoch`);
  return { generation: Number(match[1]), revision: Number(match[2]) };
}

/** Negative when `a` is older. */
export function compareEpochTexts(a: string, b: string): number {
  return a === b ? 0 : compareEpochs(parseEpoch(a), parseEpoch(b));
}
