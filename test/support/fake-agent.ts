/** An agent that serves the output of tasks from a script. */
import { Server, ServerCredentials, type ServerWritableStream } from "@grpc/grpc-js";
import { AgentOperatorServiceService, type LogChunk, type ReadLogRequest } from "../../src/wire/gen/mesarch/v1/agent_operator.ts";

export type LogStream = ServerWritableStream<ReadLogRequest, LogChunk>;

export class FakeAgent implements AsyncDisposable {
  readonly requests: ReadLogRequest[] = [];
  #server = new Server();
  #port = 0;
  readonly #onRead: (stream: LogStream) => void;

  private constructor(onRead: (stream: LogStream) => void) {
    this.#onRead = onRead;
  }

  /** `output`: all that the task wrote to this stream. */
  static start(output: (request: ReadLogRequest) => string): Promise<FakeAgent> {
    return FakeAgent.serve((stream) => {
      say(stream, output(stream.request), stream.request.offset);
      stream.end();
    });
  }

  static async serve(onRead: (stream: LogStream) => void): Promise<FakeAgent> {
    const agent = new FakeAgent(onRead);
    await agent.restart();
    return agent;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens again, on the old port, after `kill`. */
  async restart(): Promise<void> {
    this.#server = new Server();
    this.#server.addService(AgentOperatorServiceService, {
      readLog: (stream: LogStream) => {
        stream.on("error", () => {});
        this.requests.push(stream.request);
        this.#onRead(stream);
      },
    });
    this.#port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${this.#port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
  }

  kill(): void {
    this.#server.forceShutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
  }
}

export function say(stream: LogStream, text: string, offset: number): void {
  stream.write({ data: Buffer.from(text), offset, rotated: false });
}
