/** A disk of its own for one host: a file behind a loop device, which can be full, or lose its power. */
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Belongings, isMounted } from "../belongings.ts";
import { run } from "../host/tools.ts";

export interface LoopDiskOptions {
  readonly image: string;
  readonly mountPoint: string;
  readonly mebibytes: number;
  readonly belongings: Belongings;
}

const BALLAST = "ballast";
/** What a large file takes beside its contents. */
const SPARED_BLOCKS = 64;
const CHUNK = Buffer.alloc(64 * 1024, 1);
const LITTLE = Buffer.alloc(1024, 1);
const UNMOUNT_TRIES = 50;
const PAUSE_MS = 100;

export class LoopDisk {
  readonly mountPoint: string;
  readonly #options: LoopDiskOptions;
  #device = "";

  constructor(options: LoopDiskOptions) {
    this.#options = options;
    this.mountPoint = options.mountPoint;
  }

  async make(): Promise<void> {
    const { image, mountPoint, mebibytes, belongings } = this.#options;
    const file = openSync(image, "w");
    ftruncateSync(file, mebibytes * 2 ** 20);
    closeSync(file);
    mkdirSync(mountPoint, { recursive: true });
    await run("mkfs.ext4", ["-q", "-F", "-m", "0", image]);
    this.#device = (await run("losetup", ["--find", "--show", image])).trim();
    belongings.add({ kind: "loop", device: this.#device });
    belongings.add({ kind: "mount", path: mountPoint });
    await this.mount();
  }

  async mount(): Promise<void> {
    if (!isMounted(this.mountPoint)) await run("mount", [this.#device, this.mountPoint]);
  }

  /** From now on everything fails with EIO, and what was not synced is lost. */
  async losePower(): Promise<void> {
    await run("xfs_io", ["-x", "-F", "-c", "shutdown", this.mountPoint]);
  }

  /** What used it must be dead. */
  async remount(): Promise<void> {
    for (let attempt = 1; isMounted(this.mountPoint); attempt += 1) {
      try {
        await run("umount", [this.mountPoint]);
      } catch (error) {
        if (attempt === UNMOUNT_TRIES) throw error;
        await delay(PAUSE_MS);
      }
    }
    await this.mount();
  }

  /** Takes all that is free, most of it without a write. */
  async fill(): Promise<void> {
    const path = join(this.mountPoint, BALLAST);
    const { bavail, bsize } = await statfs(this.mountPoint);
    if (bavail > SPARED_BLOCKS) await run("fallocate", ["--length", String((bavail - SPARED_BLOCKS) * bsize), path]);
    const file = openSync(path, "a");
    try {
      for (const piece of [CHUNK, LITTLE]) while (takes(file, piece));
    } finally {
      closeSync(file);
    }
  }

  makeRoom(): void {
    rmSync(join(this.mountPoint, BALLAST), { force: true });
  }
}

function takes(file: number, piece: Buffer): boolean {
  try {
    return writeSync(file, piece) === piece.length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}
