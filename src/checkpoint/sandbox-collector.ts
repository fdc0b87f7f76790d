/**
 * Removes the sandboxes of forgotten tasks after a while, and the oldest of them sooner when the disk fills up (8.10).
 * What a task left is dated by its directory, so the wait goes on after a restart.
 */
import { lstat, mkdir, readdir, rm, statfs, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../async/clock.ts";
import type { Sandboxes } from "../ports/sandboxes.ts";

export interface SandboxCollectorOptions {
  /** Absolute; holds one directory per launch id, and nothing else in it is touched. */
  readonly directory: string;
  /** Whether a task of this launch is still held: its sandbox stays. */
  readonly isHeld: (launchId: string) => boolean;
  /** How long a sandbox is kept after its task was forgotten, in milliseconds. */
  readonly keepMs: number;
  /** While less than this share of the disk is free, sandboxes go oldest first, whatever their age. */
  readonly freeShare: number;
  /** Time between two looks, in milliseconds. */
  readonly checkMs: number;
  readonly clock: Clock;
  readonly onProblem: (launchId: string, error: unknown) => void;
  /** Share of the disk that is free, 0 to 1; for tests. */
  readonly freeNow?: () => Promise<number>;
}

interface Sandbox {
  readonly launchId: string;
  readonly forgottenAtMs: number;
}

export class SandboxCollector implements Sandboxes, AsyncDisposable {
  readonly #options: SandboxCollectorOptions;
  #cancel: (() => void) | undefined;
  #pass: Promise<void> = Promise.resolve();

  constructor(options: SandboxCollectorOptions) {
    this.#options = options;
    this.#schedule();
  }

  path(launchId: string): string {
    return join(this.#options.directory, launchId);
  }

  /** Its time begins now. */
  async forgotten(launchId: string): Promise<void> {
    const now = this.#options.clock.wall() / 1000;
    await utimes(this.path(launchId), now, now).catch(() => {});
  }

  /** Looks at all sandboxes once. Never rejects. */
  async collect(): Promise<void> {
    const { clock, keepMs, onProblem } = this.#options;
    for (const { launchId, forgottenAtMs } of await this.#collectable()) {
      const due = clock.wall() - forgottenAtMs >= keepMs;
      if (!due && !(await this.#diskIsLow())) return;
      await rm(this.path(launchId), { recursive: true, force: true }).catch((error: unknown) =>
        onProblem(launchId, error),
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    await this.#pass;
  }

  /** Oldest first. */
  async #collectable(): Promise<Sandbox[]> {
    const { directory, isHeld } = this.#options;
    const names = await readdir(directory).catch(() => []);
    const found = await Promise.all(
      names
        .filter((name) => /^[0-9a-f]{32}$/.test(name) && !isHeld(name))
        .map(async (launchId) => {
          const stat = await lstat(join(directory, launchId)).catch(() => undefined);
          return stat === undefined ? [] : [{ launchId, forgottenAtMs: stat.mtimeMs }];
        }),
    );
    return found.flat().sort((a, b) => a.forgottenAtMs - b.forgottenAtMs);
  }

  async #diskIsLow(): Promise<boolean> {
    const { directory, freeShare, freeNow = () => freeShareOf(directory) } = this.#options;
    return (await freeNow().catch(() => 1)) < freeShare;
  }

  #schedule(): void {
    this.#cancel = this.#options.clock.after(this.#options.checkMs, () => {
      this.#pass = this.collect().then(() => {
        if (this.#cancel !== undefined) this.#schedule();
      });
    });
  }
}

async function freeShareOf(directory: string): Promise<number> {
  await mkdir(directory, { recursive: true });
  const { bavail, blocks } = await statfs(directory);
  return blocks === 0 ? 1 : bavail / blocks;
}
