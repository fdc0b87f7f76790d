/** A leader made of a script, for agents: shows what an agent says, and says what a test tells it to. Real gRPC. */
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import type { Epoch } from "../../src/base/epoch.ts";
import {
  type AgentBatch,
  AgentServiceService,
  type AgentMessage,
  type MasterBatch,
  type MasterMessage,
  type Report,
  type TaskUpdate,
} from "../../src/wire/gen/mesarch/v1/agents.ts";
import { FrameworkInfo, TaskInfo, type TaskState } from "../../src/wire/gen/mesos/v1/mesos.ts";
import { Arrivals } from "../support/arrivals.ts";

type Body = NonNullable<AgentMessage["body"]>;
type Case = Body["$case"];
export type Order = NonNullable<MasterMessage["body"]>;

export const CLUSTER = "cluster-1";

export class AgentSession {
  readonly heard = new Arrivals<AgentMessage>();
  readonly #stream: ServerDuplexStream<AgentBatch, MasterBatch>;
  number = 0;
  epoch: Epoch = { generation: 1, revision: 1 };

  constructor(stream: ServerDuplexStream<AgentBatch, MasterBatch>) {
    this.#stream = stream;
    stream.on("data", (batch: AgentBatch) => {
      for (const message of batch.messages) this.heard.push(message);
    });
    stream.on("error", () => {});
    stream.on("end", () => stream.end());
  }

  say(...bodies: Order[]): void {
    const { generation, revision } = this.epoch;
    this.#stream.write({
      clusterId: CLUSTER,
      epoch: { generation, revision },
      session: this.number,
      messages: bodies.map((body) => ({ body })),
    });
  }

  async next<C extends Case>($case: C): Promise<Extract<Body, { $case: C }>["value"]> {
    const message = await this.heard.next(({ body }) => body?.$case === $case);
    return message.body!.value as never;
  }

  /** Leads, hears the report and confirms it as `agentId`. */
  async adopt(revision: number, agentId = "agent-1"): Promise<Report> {
    this.epoch = { generation: 1, revision };
    this.number = revision;
    this.say({ $case: "lead", value: { pingTimeoutMs: 60_000 } });
    const report = await this.next("report");
    this.say({ $case: "confirm", value: { agentId } });
    return report;
  }

  async update(state: TaskState): Promise<TaskUpdate> {
    const message = await this.heard.next(({ body }) => body?.$case === "update" && body.value.status?.state === state);
    return message.body!.value as TaskUpdate;
  }

  acknowledge({ launchId, status }: TaskUpdate): void {
    this.say({ $case: "acknowledge", value: { launchId, uuid: Buffer.from(status!.uuid!) } });
  }
}

export class AgentMaster implements AsyncDisposable {
  readonly sessions = new Arrivals<AgentSession>();
  readonly address: string;
  readonly #server: Server;

  private constructor(server: Server, port: number, sessions: Arrivals<AgentSession>) {
    this.#server = server;
    this.address = `127.0.0.1:${port}`;
    this.sessions = sessions;
  }

  static async listen(): Promise<AgentMaster> {
    const server = new Server();
    const sessions = new Arrivals<AgentSession>();
    server.addService(AgentServiceService, {
      session: (stream: ServerDuplexStream<AgentBatch, MasterBatch>) => sessions.push(new AgentSession(stream)),
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)));
    return new AgentMaster(server, await promise, sessions);
  }

  /** The agent's next stream, greeted. */
  async greeted(): Promise<AgentSession> {
    const session = await this.sessions.next();
    await session.next("greeting");
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }
}

export function launchOrder(launchId: string, command: string, cpus = 0.1): Order {
  return {
    $case: "launch",
    value: {
      launchId,
      framework: FrameworkInfo.fromPartial({ user: "", name: "test", id: { value: "framework-1" } }),
      task: TaskInfo.fromPartial({
        name: "task",
        taskId: { value: `task-${launchId.slice(0, 4)}` },
        agentId: { value: "agent-1" },
        command: { value: command },
        resources: [{ name: "cpus", type: 0, scalar: { value: cpus } }],
      }),
      traceparent: "",
      role: "*",
    },
  };
}
