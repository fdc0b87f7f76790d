import { constants } from "node:fs";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../async/clock.ts";

export interface LogBounds {
  /** A larger file is rotated. */
  readonly bytes: number;
  /** Rotated files kept: `stdout.1` is the newest. At least 1. */
  readonly kept: number;
  /** Time between two checks, in milliseconds; a task may exceed the bound by what it writes meanwhile. */
  readonly checkMs: number;
}

export const defaultLogBounds: LogBounds = Object.freeze({ bytes: 10 * 1024 * 1024, kept: 2, checkMs: 10_000 });

/**
 * Copies a log that is too large to `<name>.1` and empties it in place. Its writers append, so they go on at the start
 * of the same file. What they write in the instant between the last read and the emptying is lost; so is what they write
 * during the copy beyond another `bounds.bytes`, without which a fast writer would keep the copy going for ever.
 *
 * True if it was rotated. A file that is missing, or that a task replaced by something else, is left alone. Rejects with
 * a system error; the log is whole then, and older copies may have moved up.
 */
export async function rotateLog(directory: string, name: string, bounds: LogBounds): Promise<boolean> {
  const path = join(directory, name);
  await using log = await openRegular(path);
  if (!log) return false;
  const { size, uid, gid } = await log.stat();
  if (size <= bounds.bytes) return false;
  await rm(`${path}.${bounds.kept}`, { force: true });
  for (let age = bounds.kept - 1; age >= 1; age -= 1) await renameIfThere(`${path}.${age}`, `${path}.${age + 1}`);
  try {
    // Never through a link that the task may have put there.
    await using copy = await open(`${path}.1`, "wx", 0o640);
    if (process.getuid?.() === 0) await copy.chown(uid, gid);
    await copyUpTo(size + bounds.bytes, log, copy);
  } catch (error) {
    await rm(`${path}.1`, { force: true });
    throw error;
  }
  await log.truncate(0);
  return true;
}

/** Keeps the logs of changing sandboxes within bounds until disposed. */
export class LogRotation {
  readonly #clock: Clock;
  readonly #bounds: LogBounds;
  readonly #sandboxes: () => Iterable<string>;
  readonly #onProblem: (sandbox: string, problem: unknown) => void;
  #cancel: (() => void) | undefined;
  #pass: Promise<void> = Promise.resolve();

  /** `sandboxes` is asked at every check; `onProblem` hears of logs that could not be rotated this time. */
  constructor(clock: Clock, bounds: LogBounds, sandboxes: () => Iterable<string>, onProblem: (sandbox: string, problem: unknown) => void) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#sandboxes = sandboxes;
    this.#onProblem = onProblem;
    this.#schedule();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    await this.#pass;
  }

  #schedule(): void {
    this.#cancel = this.#clock.after(this.#bounds.checkMs, () => {
      this.#pass = this.#check().then(() => {
        if (this.#cancel) this.#schedule();
      });
    });
  }

  async #check(): Promise<void> {
    for (const sandbox of [...this.#sandboxes()]) {
      for (const name of ["stdout", "stderr"]) {
        if (!this.#cancel) return;
        await rotateLog(sandbox, name, this.#bounds).catch((problem: unknown) => this.#onProblem(sandbox, problem));
      }
    }
  }
}

/** O_NONBLOCK: opening a pipe must not wait for its other end. */
async function openRegular(path: string): Promise<FileHandle | undefined> {
  const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK).catch(unlessCode("ENOENT", "ELOOP", "EISDIR", "ENXIO"));
  if (!file || (await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}

async function copyUpTo(bytes: number, from: FileHandle, to: FileHandle): Promise<void> {
  const chunk = Buffer.allocUnsafe(256 * 1024);
  for (let position = 0; position < bytes; ) {
    const { bytesRead } = await from.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) return;
    await to.writeFile(chunk.subarray(0, bytesRead));
    position += bytesRead;
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch(unlessCode("ENOENT"));
}

function unlessCode(...codes: string[]): (error: NodeJS.ErrnoException) => undefined {
  return (error) => {
    if (!codes.includes(error.code ?? "")) throw error;
    return undefined;
  };
}
