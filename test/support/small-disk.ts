/** A file system so small that a test can fill it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BALLAST = "ballast";
const CHUNK = Buffer.alloc(4096, 1);

export class SmallDisk implements Disposable {
  readonly directory: string;
  readonly #onExit = (): void => this.#remove("--lazy");

  private constructor(directory: string) {
    this.directory = directory;
    process.on("exit", this.#onExit);
  }

  /** Undefined where this host does not let us mount one. */
  static mount(mebibytes: number): SmallDisk | undefined {
    const directory = mkdtempSync(join(tmpdir(), "mesarch-disk-"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", directory], { stdio: "ignore" });
    } catch {
      rmSync(directory, { recursive: true });
      return undefined;
    }
    return new SmallDisk(directory);
  }

  /** Takes all that is free. */
  async fill(): Promise<void> {
    await using file = await open(join(this.directory, BALLAST), "a");
    try {
      for (;;) await file.writeFile(CHUNK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }

  /** Gives it back. */
  async makeRoom(): Promise<void> {
    await rm(join(this.directory, BALLAST));
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#onExit);
    this.#remove();
  }

  #remove(...options: string[]): void {
    execFileSync("umount", [...options, this.directory]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
