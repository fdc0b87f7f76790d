/** The operators' event stream, as one loop across leaders. */
import type { ServiceError } from "@grpc/grpc-js";
import { onAbort } from "../async/abort.ts";
import { backoff } from "../async/backoff.ts";
import { compareEpochs, NO_EPOCH, type Epoch } from "../base/epoch.ts";
import {
  OperatorServiceClient,
  type AgentView,
  type FrameworkView,
  type OperatorEvents,
  type TaskView,
} from "../wire/gen/mesarch/v1/operator.ts";
import type { LeaderRecord } from "../wire/gen/mesarch/v1/registry.ts";
import type { Channels } from "./channels.ts";
import type { Leader, LeaderTracker } from "./leader.ts";

interface At {
  readonly epoch: Epoch;
  /** Registry revision at which it became true. */
  readonly revision: number;
}

export type OperatorNews =
  | (At & { readonly type: "task"; readonly task: TaskView })
  | (At & { readonly type: "agent"; readonly agent: AgentView })
  | (At & { readonly type: "framework"; readonly framework: FrameworkView })
  | (At & { readonly type: "leader"; readonly leader: LeaderRecord })
  /** The stream is open, at first or again (`resumed`: a snapshot follows, so that nothing of the gap is missing). */
  | { readonly type: "connected"; readonly leader: Leader; readonly resumed: boolean }
  | { readonly type: "disconnected"; readonly leader: Leader; readonly reason: string };

export interface EventOptions {
  /** Begin with the present tasks, agents and frameworks. Default false. */
  readonly snapshot?: boolean;
  /** Ends the loop; it then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** @internal */
export async function* watchEvents(
  tracker: LeaderTracker,
  masters: Channels,
  options: EventOptions,
): AsyncGenerator<OperatorNews, undefined> {
  let pauses = newPauses();
  for (let resumed = false; ; ) {
    const leader = await tracker.next(NO_EPOCH, options.signal);
    const client = masters.client(OperatorServiceClient, leader.address);
    const stream = client.events({ snapshot: resumed || (options.snapshot ?? false) });
    stream.on("error", () => {}); // also comes after the loop was left, when nobody listens
    const cancel = (): void => stream.cancel();
    const stop = tracker.onLeader((next) => compareEpochs(next.epoch, leader.epoch) > 0 && cancel());
    const stopListening = onAbort(options.signal, cancel);
    let connected = false;
    let reason = "the master closed the stream";
    try {
      for await (const batch of stream as AsyncIterable<OperatorEvents>) {
        if (!connected) yield { type: "connected", leader, resumed };
        connected = resumed = true;
        pauses = newPauses();
        yield* news(batch);
      }
    } catch (error) {
      reason = (error as ServiceError).details || String(error);
    } finally {
      stop();
      stopListening();
      cancel();
    }
    options.signal?.throwIfAborted();
    if (connected) yield { type: "disconnected", leader, reason };
    await tracker.pause(pauses.next().value, leader.epoch, options.signal);
  }
}

function* news({ events }: OperatorEvents): Generator<OperatorNews> {
  for (const { event, epoch = NO_EPOCH, revision } of events) {
    const at = { epoch: { generation: epoch.generation, revision: epoch.revision }, revision };
    if (event?.$case === "task") yield { ...at, type: "task", task: event.value };
    else if (event?.$case === "agent") yield { ...at, type: "agent", agent: event.value };
    else if (event?.$case === "framework") yield { ...at, type: "framework", framework: event.value };
    else if (event?.$case === "leader") yield { ...at, type: "leader", leader: event.value };
  }
}

function newPauses(): Generator<number, never, void> {
  return backoff({ baseMs: 20, maxMs: 200, minMs: 10, random: Math.random });
}
