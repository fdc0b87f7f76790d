/**
 * Keeps a second agent out of a work directory (8.1), in two ways that the kernel gives up with the process, however that
 * ends, so there is no stale lock to recognise: an abstract socket named after the directory's device and inode, which
 * needs nothing but the host's network namespace, and a lock on a file, for agents in different ones.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { WorkDirectoryLocked } from "./errors.ts";

/** Rejects with `WorkDirectoryLocked`. */
export async function lockDirectory(root: string): Promise<AsyncDisposable> {
  await using locks = new AsyncDisposableStack();
  locks.use(await lockName(root));
  locks.use(await lockFile(root));
  return locks.move();
}

async function lockName(root: string): Promise<AsyncDisposable> {
  const { dev, ino } = await stat(root, { bigint: true });
  // Nobody connects to it.
  const server = createServer((socket) => socket.destroy());
  try {
    const listening = once(server, "listening");
    server.listen(`\0mesarch-agent-${dev}-${ino}`);
    await listening;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") throw new WorkDirectoryLocked(root, { cause: error });
    throw error;
  }
  server.unref();
  return {
    [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

/** The lock belongs to the open file, which is ours: flock(1) takes it and ends. Hosts without it have the name only. */
async function lockFile(root: string): Promise<AsyncDisposable> {
  const file = await open(join(root, "lock"), "a", 0o600);
  try {
    if ((await flock(file)) === TAKEN) throw new WorkDirectoryLocked(root);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Exit status of flock(1) when another holds the lock. */
const TAKEN = 1;

/** Exit status; undefined when there is no such program. */
async function flock(file: FileHandle): Promise<number | undefined> {
  const program = spawn("flock", ["--exclusive", "--nonblock", "3"], { stdio: ["ignore", "ignore", "ignore", file.fd] });
  try {
    const [status] = await once(program, "exit");
    return status as number;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
