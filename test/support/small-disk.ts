/** A file system so small that a test can fill it. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BALLAST = "ballast";
const CHUNK = Buffer.alloc(4096, 1);
/** Mounts it for itself alone, says so, and keeps it until its input ends. Root needs no namespace of users for that. */
const HOLDER = [...(process.getuid?.() === 0 ? ["-m"] : ["-Urm"]), "sh", "-c", 'mount -t tmpfs -o size="$1" tmpfs "$2" && echo mounted && exec cat', "sh"];

/** Seen by others through /proc, while the process lives in whose namespace it is mounted. */
export class SmallDisk implements AsyncDisposable {
  /** Whether this host lets us mount one: it takes root, or namespaces for everybody. */
  static readonly possible = spawnSync("unshare", [...HOLDER, "64k", tmpdir()], { input: "" }).status === 0;

  readonly directory: string;
  readonly #holder: ChildProcess;
  readonly #mountPoint: string;

  private constructor(holder: ChildProcess, mountPoint: string) {
    this.directory = `/proc/${holder.pid}/root${mountPoint}`;
    this.#holder = holder;
    this.#mountPoint = mountPoint;
  }

  static async mount(mebibytes: number): Promise<SmallDisk> {
    const mountPoint = await mkdtemp(join(tmpdir(), "mesarch-disk-"));
    const holder = spawn("unshare", [...HOLDER, `${mebibytes}m`, mountPoint], { stdio: ["pipe", "pipe", "inherit"] });
    await once(holder.stdout, "data");
    return new SmallDisk(holder, mountPoint);
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.stdin!.end();
    await once(this.#holder, "exit");
    await rmdir(this.#mountPoint);
  }
}
