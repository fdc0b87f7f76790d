/** A task's output, read from the agent that runs it. */
import type { ServiceError } from "@grpc/grpc-js";
import { delay, onAbort } from "../async/abort.ts";
import { backoff } from "../async/backoff.ts";
import type { Clock } from "../async/clock.ts";
import { MesarchError } from "../base/errors.ts";
import { AgentOperatorServiceClient, type LogChunk } from "../wire/gen/mesarch/v1/agent_operator.ts";
import type { TaskView } from "../wire/gen/mesarch/v1/operator.ts";
import type { Channels } from "./channels.ts";
import { grpcError } from "./errors.ts";

export interface LogOptions {
  /** Default "stdout". */
  readonly stream?: "stdout" | "stderr";
  /** Byte to begin with; negative counts from the end. Default 0. */
  readonly offset?: number;
  /** Go on until the task has ended and all is read. Default false: what is there now. */
  readonly follow?: boolean;
  /**
   * Longest wait for an agent that does not answer, in milliseconds; default: the client's. When following, one whose task
   * has not ended is asked again after that, without end.
   */
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

/** @internal */
export interface LogReading {
  /** Asked before each attempt: an agent may come back elsewhere. */
  readonly find: () => Promise<TaskView>;
  readonly agents: Channels;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly options: LogOptions;
}

/** @internal */
export async function* readLog(reading: LogReading): AsyncGenerator<LogPart, undefined> {
  const { clock, timeoutMs, options } = reading;
  let offset = options.offset ?? 0;
  let pauses = newPauses();
  let endless = options.follow ?? false;
  /** Undefined while the agent answers. */
  let giveUpAt: number | undefined;
  const answered = (): void => {
    giveUpAt = undefined;
    pauses = newPauses();
  };
  for (;;) {
    giveUpAt ??= clock.now() + timeoutMs;
    try {
      const task = await reading.find();
      endless &&= !task.finished;
      for await (const part of readOnce(reading, task, offset, answered)) {
        offset = part.offset + part.data.length;
        yield part;
        if (!options.follow) giveUpAt = clock.now() + timeoutMs;
      }
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      const isOver = !endless && giveUpAt !== undefined && clock.now() >= giveUpAt;
      if (!mayPass(error) || isOver) throw error;
    }
    await delay(pauses.next().value, options.signal, clock);
  }
}

/** One call, until it ends or breaks. Throws "timed_out" when nothing comes for too long. */
async function* readOnce(
  { agents, clock, timeoutMs, options }: LogReading,
  { record, agentAddress }: TaskView,
  offset: number,
  answered: () => void,
): AsyncGenerator<LogPart, undefined> {
  const { stream = "stdout", follow = false, signal } = options;
  if (record === undefined || agentAddress === "") throw noAgent(record?.agentId ?? "");
  using agent = agents.borrow(AgentOperatorServiceClient, agentAddress);
  const chunks = agent.client.readLog({ launchId: record.launchId, stream, offset, follow });
  let late = false;
  let cancelWait = (): void => {};
  const wait = (): void => {
    cancelWait = clock.after(timeoutMs, () => {
      late = true;
      chunks.cancel();
    });
  };
  const hear = (): void => {
    cancelWait();
    answered();
  };
  chunks.on("error", () => {}); // also comes after the loop was left, when nobody listens
  // A task may be silent for as long as it likes: that the agent has taken the question is enough.
  if (follow) chunks.once("metadata", hear);
  const stopListening = onAbort(signal, () => chunks.cancel());
  wait();
  try {
    for await (const { data, offset: first, rotated } of chunks as AsyncIterable<LogChunk>) {
      hear();
      yield { data, offset: first, rotated };
      if (!follow) wait();
    }
  } catch (error) {
    const what = `${stream} of task "${record.info?.taskId?.value ?? record.launchId}" at agent ${agentAddress}`;
    if (late) throw new MesarchError("timed_out", `${what}: no answer within ${timeoutMs} ms`);
    throw grpcError(error as ServiceError, what);
  } finally {
    cancelWait();
    stopListening();
    chunks.cancel();
  }
}

/** The agent, or the leader who knows where it is, may be back soon. */
function mayPass(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "unavailable" || code === "no_leader" || code === "timed_out";
}

function noAgent(agentId: string): MesarchError {
  return new MesarchError("not_found", `the address of agent "${agentId}" is not known, so its logs cannot be read`, {
    remedy: "Look at the agent with: mesarch agent list",
  });
}

function newPauses(): Generator<number, never, void> {
  return backoff({ baseMs: 50, maxMs: 1_000, minMs: 20, random: Math.random });
}
