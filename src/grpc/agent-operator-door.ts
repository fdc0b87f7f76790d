/** The agent's own gRPC door: serves operators the output of its tasks, and ends the agent for a drill. */
import { once } from "node:events";
import { Metadata, Server, ServerCredentials, type ServerWritableStream } from "@grpc/grpc-js";
import { MesarchError } from "../base/errors.ts";
import type { DrillFaults } from "../ports/drill-faults.ts";
import type { TaskLogs } from "../ports/task-logs.ts";
import {
  type AgentOperatorServiceServer,
  AgentOperatorServiceService,
  type LogChunk,
  type ReadLogRequest,
} from "../wire/gen/mesarch/v1/agent_operator.ts";
import { serverOptions } from "./limits.ts";
import { bindServer } from "./listen.ts";
import { toStatus } from "./status.ts";

export interface AgentDoorOptions {
  /** Address to bind; default all. */
  readonly host?: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly logs: TaskLogs;
  /** Undefined: nobody may end this agent. */
  readonly drills: DrillFaults | undefined;
  /** Default: no TLS. */
  readonly credentials?: ServerCredentials;
}

export interface AgentDoor extends AsyncDisposable {
  /** The port it listens on. */
  readonly port: number;
}

/** Rejects with `unavailable` when the port is taken. */
export async function openAgentDoor(options: AgentDoorOptions): Promise<AgentDoor> {
  const server = new Server(serverOptions);
  const implementation: AgentOperatorServiceServer = {
    readLog: (call) => void serve(call, options.logs),
    crash: (_, answer) => (options.drills === undefined ? answer(toStatus(drillsRefused())) : options.drills.crash()),
  };
  server.addService(AgentOperatorServiceService, implementation);
  const address = `${options.host ?? "0.0.0.0"}:${options.port}`;
  const { port, close } = await bindServer(server, address, options.credentials ?? ServerCredentials.createInsecure());
  return { port, [Symbol.asyncDispose]: async () => close() };
}

function drillsRefused(): MesarchError {
  return new MesarchError("refused", "this agent may not be ended for a drill: it was started without --allow-drills", {
    remedy: "Start it with --allow-drills under a supervisor that restarts it.",
  });
}

async function serve(call: ServerWritableStream<ReadLogRequest, LogChunk>, logs: TaskLogs): Promise<void> {
  const gone = new AbortController();
  call.on("cancelled", () => gone.abort());
  call.on("error", () => gone.abort());
  // At once: the first output of a followed task may come after hours, and the reader wants to know that it was heard.
  call.sendMetadata(new Metadata());
  try {
    for await (const chunk of logs.read(call.request, gone.signal)) {
      if (!call.write(chunk)) await once(call, "drain", { signal: gone.signal });
    }
    call.end();
  } catch (thrown) {
    if (!gone.signal.aborted) call.emit("error", toStatus(thrown));
  }
}
