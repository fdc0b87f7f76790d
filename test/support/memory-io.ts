/** A terminal that is only memory. */
import type { Io } from "../../src/cli/io.ts";

export interface MemoryIo extends Io {
  /** What was written so far. */
  readonly out: () => string;
  readonly err: () => string;
  /** As Ctrl-C. */
  interrupt(): void;
}

export function memoryIo(env: Record<string, string> = {}): MemoryIo {
  const written = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const listeners = new Set<(signal: "SIGINT" | "SIGTERM") => void>();
  return {
    stdout: { write: (data) => written.stdout.push(Buffer.from(data as string)) },
    stderr: { write: (data) => written.stderr.push(Buffer.from(data as string)) },
    env,
    onStop: (callback) => {
      listeners.add(callback);
      return () => void listeners.delete(callback);
    },
    out: () => Buffer.concat(written.stdout).toString(),
    err: () => Buffer.concat(written.stderr).toString(),
    interrupt: () => [...listeners].forEach((listener) => listener("SIGINT")),
  };
}
