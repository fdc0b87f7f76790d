/** The master's gRPC door: binds the services to the transport-neutral api and does nothing else. */
import { Server, ServerCredentials, type ServerDuplexStream, type ServerWritableStream, type UntypedServiceImplementation } from "@grpc/grpc-js";
import type { AgentSessions, BatchFence } from "../api/agent-sessions.ts";
import type { LeaderViews } from "../api/leader-views.ts";
import type { OperatorCalls } from "../api/operator-calls.ts";
import type { ReceivedCall, SchedulerSessions } from "../api/scheduler-sessions.ts";
import { MesarchError } from "../base/errors.ts";
import type { Logger } from "../telemetry/logger.ts";
import { AgentBatch, AgentServiceService, MasterBatch, MasterMessage } from "../wire/gen/mesarch/v1/agents.ts";
import { ClusterServiceService, type ClusterServiceServer, WatchRequest } from "../wire/gen/mesarch/v1/cluster.ts";
import { OperatorEvent, OperatorRequest, OperatorServiceService, EventsRequest, type OperatorServiceServer } from "../wire/gen/mesarch/v1/operator.ts";
import { SchedulerItem, SchedulerServiceService } from "../wire/gen/mesarch/v1/scheduler.ts";
import { boundedDecode } from "./bounded-decode.ts";
import { decodeCalls } from "./decode-calls.ts";
import { asIs, encodedOutbox, encodeRepeated } from "./encoded-stream.ts";
import { serverOptions } from "./limits.ts";
import { bindServer, type BoundServer } from "./listen.ts";
import { newestOnly } from "./newest-only.ts";
import type { GrpcPeerLinks } from "./peer-links.ts";
import { toStatus } from "./status.ts";

export interface MasterDoors {
  readonly schedulers: SchedulerSessions;
  readonly agents: AgentSessions;
  readonly operators: OperatorCalls;
  readonly views: LeaderViews;
}

export interface MasterDoorOptions {
  /** host:port to listen on; port 0 takes a free one. */
  readonly listen: string;
  readonly peers: GrpcPeerLinks;
  readonly log: Logger;
  /** Present once the master exists; calls before that get UNAVAILABLE. */
  readonly doors: () => MasterDoors | undefined;
}

/** Until authentication exists, everybody is this principal. */
const ANONYMOUS = "";

interface SchedulerBatch {
  readonly calls: readonly ReceivedCall[];
}

/** An agent's batch, and what it was encoded in. */
interface SizedBatch extends AgentBatch {
  readonly bytes: number;
}

const decodeAgentBatch = boundedDecode(AgentBatch, { items: ({ messages }) => messages });
const schedulerSession = { ...SchedulerServiceService.session, requestDeserialize: decodeCalls, responseSerialize: asIs };
const agentSession = {
  ...AgentServiceService.session,
  requestDeserialize: (input: Buffer): SizedBatch => ({ ...decodeAgentBatch(input), bytes: input.length }),
  responseSerialize: asIs,
};
const operatorEvents = { ...OperatorServiceService.events, requestDeserialize: boundedDecode(EventsRequest), responseSerialize: asIs };
const clusterWatch = { ...ClusterServiceService.watch, requestDeserialize: boundedDecode(WatchRequest) };
const operatorCall = { ...OperatorServiceService.call, requestDeserialize: boundedDecode(OperatorRequest) };

export async function openMasterDoors(options: MasterDoorOptions): Promise<BoundServer> {
  const server = new Server(serverOptions);
  const need = (): MasterDoors => {
    const doors = options.doors();
    if (doors === undefined) throw new MesarchError("unavailable", "this master is still starting");
    return doors;
  };
  server.addService(
    { session: schedulerSession },
    { session: (stream: ServerDuplexStream<SchedulerBatch, Buffer>) => guarded(stream, () => schedulerStream(stream, need(), options.log)) },
  );
  server.addService(
    { session: agentSession },
    { session: (stream: ServerDuplexStream<SizedBatch, Buffer>) => guarded(stream, () => agentStream(stream, need(), options.log)) },
  );
  server.addService(
    { call: operatorCall, events: operatorEvents },
    {
      call: ((call, callback) => {
        void (async () => need().operators.call(call.request, ANONYMOUS))().then(
          (response) => callback(null, response),
          (error: unknown) => callback(toStatus(error, options.doors()?.operators.leaderAddress), null),
        );
      }) satisfies OperatorServiceServer["call"],
      events: (stream: ServerWritableStream<EventsRequest, Buffer>) => guarded(stream, () => eventStream(stream, need())),
    },
  );
  const cluster: ClusterServiceServer = {
    watch: (stream) =>
      guarded(stream, () => {
        const end = need().views.watch({ send: newestOnly(stream) });
        onEnd(stream, end);
      }),
  };
  server.addService({ watch: clusterWatch }, cluster as UntypedServiceImplementation);
  options.peers.serve(server);
  return bindServer(server, options.listen, ServerCredentials.createInsecure());
}

interface AnyServerStream {
  on(event: string, listener: (...args: never[]) => void): unknown;
  emit(event: "error", error: unknown): boolean;
}

function guarded(stream: AnyServerStream, open: () => void): void {
  stream.on("error", () => {});
  try {
    open();
  } catch (error) {
    stream.emit("error", toStatus(error));
  }
}

/** Once, however the stream ends. `ours`: by an error that this side raised. */
function onEnd(stream: AnyServerStream, end: (ours: boolean) => void): void {
  let ended = false;
  const once = (ours: boolean) => (): void => {
    if (ended) return;
    ended = true;
    end(ours);
  };
  stream.on("cancelled", once(false));
  stream.on("close", once(false));
  stream.on("error", once(true));
  stream.on("end", once(false));
}

function schedulerStream(stream: ServerDuplexStream<SchedulerBatch, Buffer>, doors: MasterDoors, log: Logger): void {
  const outbox = encodedOutbox<{ bytes: Uint8Array }>(
    stream,
    (items) => encodeRepeated(1, items.map((item) => item.bytes)),
    (waiting) => {
      log.warn("a framework does not read its stream; closing it", { waiting });
      stream.emit("error", toStatus(new MesarchError("exhausted", `the stream was not read: ${waiting} bytes waited`)));
    },
  );
  const session = doors.schedulers.open(
    {
      send: (item) => void outbox.push({ bytes: SchedulerItem.encode(item).finish() }),
      close: () => {
        outbox.flush();
        stream.end();
      },
    },
    ANONYMOUS,
  );
  stream.on("data", (message: SchedulerBatch) => session.calls(message.calls));
  onEnd(stream, (ours) => {
    session.closed(ours);
    outbox.close();
    stream.end();
  });
}

interface FencedItem {
  readonly bytes: Uint8Array;
  readonly fence: BatchFence;
}

function agentStream(stream: ServerDuplexStream<SizedBatch, Buffer>, doors: MasterDoors, log: Logger): void {
  const outbox = encodedOutbox<FencedItem>(stream, packByFence, (waiting) => {
    log.warn("an agent does not read its stream; closing it", { waiting });
    stream.emit("error", toStatus(new MesarchError("exhausted", `the stream was not read: ${waiting} bytes waited`)));
  });
  const session = doors.agents.open({
    send: (message, fence) => void outbox.push({ bytes: MasterMessage.encode(message).finish(), fence }),
    close: () => {
      outbox.flush();
      stream.end();
    },
  });
  stream.on("data", ({ messages, bytes }: SizedBatch) => session.messages(messages, bytes));
  onEnd(stream, () => {
    session.closed();
    outbox.close();
    stream.end();
  });
}

/** Messages under one fence share a batch; the order is kept. */
function packByFence(items: FencedItem[]): Buffer[] {
  const batches: Buffer[] = [];
  for (let at = 0; at < items.length; ) {
    const fence = items[at]!.fence;
    let end = at + 1;
    while (end < items.length && items[end]!.fence === fence) end += 1;
    const prefix = MasterBatch.encode({ ...fence, messages: [] }).finish();
    batches.push(encodeRepeated(4, items.slice(at, end).map((item) => item.bytes), prefix));
    at = end;
  }
  return batches;
}

const encoded = (event: OperatorEvent) => ({ bytes: OperatorEvent.encode(event).finish() });

function eventStream(stream: ServerWritableStream<EventsRequest, Buffer>, doors: MasterDoors): void {
  const outbox = encodedOutbox<{ bytes: Uint8Array }>(
    stream,
    (items) => encodeRepeated(1, items.map((item) => item.bytes)),
    (waiting) => stream.emit("error", toStatus(new MesarchError("exhausted", `the stream was not read: ${waiting} bytes waited`))),
  );
  const end = doors.operators.subscribe(
    {
      send: (event) => void outbox.push(encoded(event)),
      whenIdle: (callback) => outbox.whenIdle(callback),
      close: () => {
        outbox.flush();
        stream.end();
      },
    },
    stream.request.snapshot,
  );
  onEnd(stream, () => {
    end();
    outbox.close();
  });
}
