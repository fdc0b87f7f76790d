import { open, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { delay } from "../async/abort.ts";
import type { Clock } from "../async/clock.ts";
import { MesarchError } from "../base/errors.ts";
import { isLaunchId } from "../model/ids.ts";
import type { TaskLogs } from "../ports/task-logs.ts";
import type { LogChunk, ReadLogRequest } from "../wire/gen/mesarch/v1/agent_operator.ts";

export interface SandboxLogsOptions {
  sandbox(launchId: string): string;
  /** Whether the task of this launch is held and has not ended. */
  readonly mayStillWrite: (launchId: string) => boolean;
  readonly clock: Clock;
  /** How often a followed log is looked at, in milliseconds. Default 100. */
  readonly pollMs?: number;
}

const CHUNK_BYTES = 64 * 1024;

/** Reads logs where the monitors write them. */
export class SandboxLogs implements TaskLogs {
  readonly #options: SandboxLogsOptions;

  constructor(options: SandboxLogsOptions) {
    this.#options = options;
  }

  async *read(request: ReadLogRequest, signal: AbortSignal): AsyncIterable<LogChunk> {
    const { launchId, stream, follow } = request;
    if (!isLaunchId(launchId)) throw new MesarchError("invalid", `'${launchId}' is not a launch id`);
    if (stream !== "stdout" && stream !== "stderr") {
      throw new MesarchError("invalid", `'${stream}' is not a log`, { remedy: "Ask for stdout or stderr." });
    }
    const { clock, pollMs = 100, mayStillWrite } = this.#options;
    const path = join(this.#options.sandbox(launchId), stream);
    let position: number | undefined;
    for (;;) {
      // Asked before reading: what was written until the end is then read.
      const last = !follow || !mayStillWrite(launchId);
      const size = await sizeOf(path);
      if (size === undefined) {
        if (!mayStillWrite(launchId)) throw new MesarchError("not_found", `there is no ${stream} of launch ${launchId} here`);
      } else {
        position ??= beginOf(request.offset, size);
        const rotated = size < position;
        if (rotated) position = 0;
        for await (const chunk of readFrom(path, position, rotated)) {
          yield chunk;
          position = chunk.offset + chunk.data.length;
        }
      }
      if (last) return;
      await delay(pollMs, signal, clock);
    }
  }
}

async function* readFrom(path: string, from: number, rotated: boolean): AsyncIterable<LogChunk> {
  await using file: FileHandle = await open(path, "r");
  for (let offset = from; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, offset);
    if (bytesRead === 0) return;
    yield { data: buffer.subarray(0, bytesRead), offset, rotated: rotated && offset === from };
    offset += bytesRead;
  }
}

function beginOf(offset: number, size: number): number {
  return offset >= 0 ? Math.min(offset, size) : Math.max(0, size + offset);
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
