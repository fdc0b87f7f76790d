/**
 * What an agent keeps on its own disk: its journal and the highest epoch it obeyed (rules 8.1, 8.3). Opened by one
 * process at a time. Implemented by `src/checkpoint` and, for tests, in memory; both pass one contract suite.
 */
import type { Epoch } from "../base/epoch.ts";
import type { JournalRecord } from "../wire/gen/mesarch/v1/checkpoint.ts";

/** What the journal can take: all; all but new tasks, for its room cannot grow; nothing. */
export type Storage = "good" | "low" | "stalled";

export interface Checkpoint extends AsyncDisposable {
  /** How often an agent opened this checkpoint, this time included (1.3). */
  readonly starts: number;
  /** As stored when it was opened. */
  readonly epoch: Epoch;
  /** The journal as it was when it was opened, oldest first. */
  readonly records: readonly JournalRecord[];

  /**
   * The journal should be written anew: it is nearly full, or its file is not this process's, or can no longer be
   * trusted. Always so after opening, and after a failed append.
   */
  readonly wantsRewrite: boolean;
  /** False after opening and after a failed append: then only `rewrite` helps. */
  readonly appendable: boolean;

  /**
   * Adds records in one group; resolves when they are durable. Rejects if they are not known to be, or have no room:
   * nothing more is appended to that file. One append or rewrite at a time.
   */
  append(records: readonly JournalRecord[]): Promise<void>;

  /**
   * Replaces the journal by these records; resolves when they are durable. Rejects when that failed, as on a full disk:
   * the journal on disk is then as before, or, if the journal is not `appendable` any more, one or the other.
   */
  rewrite(records: readonly JournalRecord[]): Promise<void>;

  /** Resolves when the epoch is durable, also on a full disk. Rejects when the disk fails. One at a time. */
  storeEpoch(epoch: Epoch): Promise<void>;
}
