/**
 * Keeps a second agent out of a work directory (8.1) by an abstract socket named after its device and inode. The kernel
 * gives it up with the process, however that ends, so there is no stale lock to recognise; nobody connects to it.
 */
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { createServer } from "node:net";
import { WorkDirectoryLocked } from "./errors.ts";

/** Rejects with `WorkDirectoryLocked`. */
export async function lockDirectory(root: string): Promise<AsyncDisposable> {
  const { dev, ino } = await stat(root, { bigint: true });
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
