import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
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
      {
        await using log = await openLog(path);
        if (log === undefined) {
          if (!mayStillWrite(launchId)) throw new MesarchError("not_found", `there is no ${stream} of launch ${launchId} here`);
        } else {
          const { size } = await log.stat();
          position ??= beginOf(request.offset, size);
          const rotated = size < position;
          if (rotated) position = 0;
          for await (const chunk of readFrom(log, position, rotated)) {
            yield chunk;
            position = chunk.offset + chunk.data.length;
          }
        }
      }
      if (last) return;
      await delay(pollMs, signal, clock);
    }
  }
}

/**
 * Undefined if there is none. The sandbox is the task's to change: a link must not make us read what only we may, and
 * opening a pipe must not wait for its other end, as that holds one of node's few threads. Throws `not_found` for both.
 */
async function openLog(path: string): Promise<FileHandle | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    // ENXIO: a socket.
    throw error.code === "ELOOP" || error.code === "ENXIO" ? noFile(path) : error;
  });
  if (file === undefined || (await file.stat()).isFile()) return file;
  await file.close();
  throw noFile(path);
}

function noFile(path: string): MesarchError {
  return new MesarchError("not_found", `${path} is not a file any more: the task put something else in its place`);
}

async function* readFrom(log: FileHandle, from: number, rotated: boolean): AsyncIterable<LogChunk> {
  for (let offset = from; ; ) {
    const { bytesRead, buffer } = await log.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, offset);
    if (bytesRead === 0) return;
    yield { data: buffer.subarray(0, bytesRead), offset, rotated: rotated && offset === from };
    offset += bytesRead;
  }
}

function beginOf(offset: number, size: number): number {
  return offset >= 0 ? Math.min(offset, size) : Math.max(0, size + offset);
}
