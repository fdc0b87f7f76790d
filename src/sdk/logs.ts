/** A task's output, read from the agent that runs it. */
import { status, type ServiceError } from "@grpc/grpc-js";
import { delay, onAbort } from "../async/abort.ts";
import { backoff } from "../async/backoff.ts";
import { MesarchError } from "../base/errors.ts";
import { AgentOperatorServiceClient, type LogChunk } from "../wire/gen/mesarch/v1/agent_operator.ts";
import type { TaskView } from "../wire/gen/mesarch/v1/operator.ts";
import { Channels } from "./channels.ts";
import { grpcError } from "./errors.ts";

export interface LogOptions {
  /** Default "stdout". */
  readonly stream?: "stdout" | "stderr";
  /** Byte to begin with; negative counts from the end. Default 0. */
  readonly offset?: number;
  /** Go on until the task has ended and all is read. Default false: what is there now. */
  readonly follow?: boolean;
  /** Longest wait for an agent that does not answer, in milliseconds. Default 10,000; without end when following. */
  readonly timeoutMs?: number;
  /** Ends the loop; it then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface LogPart {
  readonly data: Uint8Array;
  /** Of the first byte, in the present file. */
  readonly offset: number;
  /** The file was rotated since the last part; some output may be missing. */
  readonly rotated: boolean;
}

/** @internal `find` is asked before each attempt: an agent may come back elsewhere. */
export async function* readLog(
  find: (signal: AbortSignal | undefined) => Promise<TaskView>,
  channels: Channels,
  options: LogOptions,
): AsyncGenerator<LogPart, undefined> {
  const { stream = "stdout", follow = false, signal } = options;
  const patienceMs = follow ? Infinity : (options.timeoutMs ?? 10_000);
  let offset = options.offset ?? 0;
  let pauses = newPauses();
  let lastHeard = performance.now();
  for (;;) {
    const { record, agentAddress } = await find(signal);
    if (record === undefined || agentAddress === "") throw noAgent(record?.agentId ?? "");
    const client = channels.client(AgentOperatorServiceClient, agentAddress);
    const chunks = client.readLog({ launchId: record.launchId, stream, offset, follow });
    chunks.on("error", () => {}); // also comes after the loop was left, when nobody listens
    const cancel = (): void => chunks.cancel();
    const stopListening = onAbort(signal, cancel);
    try {
      for await (const { data, offset: first, rotated } of chunks as AsyncIterable<LogChunk>) {
        lastHeard = performance.now();
        pauses = newPauses();
        offset = first + data.length;
        yield { data, offset: first, rotated };
      }
      return;
    } catch (error) {
      signal?.throwIfAborted();
      const isBreak = (error as ServiceError).code === status.UNAVAILABLE;
      const what = `${stream} of task "${record.info?.taskId?.value ?? record.launchId}" at agent ${agentAddress}`;
      if (!isBreak || performance.now() - lastHeard > patienceMs) throw grpcError(error as ServiceError, what);
    } finally {
      stopListening();
      cancel();
    }
    await delay(pauses.next().value, signal);
  }
}

function noAgent(agentId: string): MesarchError {
  return new MesarchError("unavailable", `the address of agent "${agentId}" is not known, so its logs cannot be read`, {
    remedy: "Look at the agent with: mesarch agent list",
  });
}

function newPauses(): Generator<number, never, void> {
  return backoff({ baseMs: 50, maxMs: 1_000, minMs: 20, random: Math.random });
}
