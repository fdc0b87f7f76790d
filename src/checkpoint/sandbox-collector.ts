/**
 * Removes the sandboxes of forgotten tasks after a while, and the oldest of them sooner when the disk fills up or there
 * are too many (8.10). The wait is told by the monotonic clock (11.2): a wall clock that jumps ends none, and what an
 * earlier process left waits anew from this one's start. Directories' times only tell which of those is the older.
 */
import { execFile } from "node:child_process";
import type { StatsFs } from "node:fs";
import { lstat, mkdir, opendir, statfs, utimes } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Clock } from "../async/clock.ts";
import { isLaunchId } from "../model/ids.ts";
import type { Sandboxes } from "../ports/sandboxes.ts";

export interface SandboxCollectorOptions {
  /** Absolute; holds one directory per launch id, and nothing else in it is touched. */
  readonly directory: string;
  /** Whether a task of this launch is still held: its sandbox stays. */
  readonly isHeld: (launchId: string) => boolean;
  /** How long a sandbox is kept after its task was forgotten, or after this process's start, in milliseconds. */
  readonly keepMs: number;
  /** While less than this share of the disk's room, or of its inodes, is free, sandboxes go oldest first, whatever their age. */
  readonly freeShare: number;
  /** Sandboxes of forgotten tasks kept, the youngest. Default 20,000: a look dates each of them, in half a second. */
  readonly maxKept?: number;
  /** Time between two looks, in milliseconds. */
  readonly checkMs: number;
  readonly clock: Clock;
  readonly onProblem: (launchId: string, error: unknown) => void;
  /** Share of the disk that is free, 0 to 1; for tests. */
  readonly freeNow?: () => Promise<number>;
}

const MAX_KEPT = 20_000;
/** Sandboxes dated at a time, which leaves node's few threads to others. */
const LOOKS = 16;

interface Sandbox {
  readonly launchId: string;
  /** Since when it waits, monotonic milliseconds. */
  readonly since: number;
  /** The same by the wall clock of that time. */
  readonly mtimeMs: number;
}

export class SandboxCollector implements Sandboxes, AsyncDisposable {
  readonly #options: SandboxCollectorOptions;
  /** By launch id, monotonic milliseconds. */
  readonly #since = new Map<string, number>();
  /** Of what no look has seen yet, and nobody spoke of. */
  #unseenSince: number;
  #cancel: (() => void) | undefined;
  #pass: Promise<void> = Promise.resolve();

  constructor(options: SandboxCollectorOptions) {
    this.#options = options;
    this.#unseenSince = options.clock.now();
    this.#schedule();
  }

  path(launchId: string): string {
    return join(this.#options.directory, launchId);
  }

  /** Its time begins now. */
  async forgotten(launchId: string): Promise<void> {
    const { clock } = this.#options;
    this.#since.set(launchId, clock.now());
    const wall = clock.wall() / 1000;
    await utimes(this.path(launchId), wall, wall).catch(() => {});
  }

  /** Looks at all sandboxes once. Never rejects. */
  async collect(): Promise<void> {
    const { clock, keepMs, maxKept = MAX_KEPT, onProblem } = this.#options;
    const now = clock.now();
    // A directory that cannot be read now is left to the next look.
    const sandboxes = await this.#collectable(now).catch(() => []);
    for (const [i, { launchId, since }] of sandboxes.entries()) {
      const due = now - since >= keepMs || sandboxes.length - i > maxKept;
      if (this.#disposed || (!due && !(await this.#diskIsLow()))) return;
      await removeTree(this.path(launchId)).catch((error: unknown) => onProblem(launchId, error));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    await this.#pass;
  }

  get #disposed(): boolean {
    return this.#cancel === undefined;
  }

  /** Oldest first. */
  async #collectable(now: number): Promise<Sandbox[]> {
    const found = new Map<string, Sandbox>();
    const names = this.#names();
    const dateOneByOne = async (): Promise<void> => {
      for await (const launchId of names) {
        const stat = await lstat(this.path(launchId)).catch(() => undefined);
        if (stat === undefined) continue;
        const since = this.#since.get(launchId) ?? this.#unseenSince;
        found.set(launchId, { launchId, since, mtimeMs: stat.mtimeMs });
      }
    };
    await Promise.all(Array.from({ length: LOOKS }, dateOneByOne));
    if (this.#disposed) return [];
    for (const { launchId, since } of found.values()) this.#since.set(launchId, this.#since.get(launchId) ?? since);
    for (const [launchId, since] of this.#since) if (since < now && !found.has(launchId)) this.#since.delete(launchId);
    this.#unseenSince = now;
    return [...found.values()].sort((a, b) => a.since - b.since || a.mtimeMs - b.mtimeMs);
  }

  /** Of all that nobody holds. */
  async *#names(): AsyncGenerator<string> {
    for await (const { name } of await opendir(this.#options.directory)) {
      if (this.#disposed) return;
      if (isLaunchId(name) && !this.#options.isHeld(name)) yield name;
    }
  }

  async #diskIsLow(): Promise<boolean> {
    const { directory, freeShare, freeNow = () => freeShareOf(directory) } = this.#options;
    return (await freeNow().catch(() => 1)) < freeShare;
  }

  #schedule(): void {
    this.#cancel = this.#options.clock.after(this.#options.checkMs, () => {
      this.#pass = this.collect().then(() => {
        if (!this.#disposed) this.#schedule();
      });
    });
  }
}

/**
 * By rm(1), which holds on to the directories it goes down into. Node's goes by their paths, and a process of the task's
 * user that puts a link in place of a directory meanwhile would let root remove what that leads to.
 */
async function removeTree(path: string): Promise<void> {
  await promisify(execFile)("rm", ["-rf", "--", path]);
}

async function freeShareOf(directory: string): Promise<number> {
  await mkdir(directory, { recursive: true });
  return scarcest(await statfs(directory));
}

/** Share that is free of what there is least of: room, or inodes where their number is fixed. */
export function scarcest({ bavail, blocks, ffree, files }: Pick<StatsFs, "bavail" | "blocks" | "ffree" | "files">): number {
  return Math.min(blocks === 0 ? 1 : bavail / blocks, files === 0 ? 1 : ffree / files);
}
