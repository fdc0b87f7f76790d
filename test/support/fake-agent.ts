/** An agent that serves the output of tasks from a script. */
import { Server, ServerCredentials, type ServerWritableStream } from "@grpc/grpc-js";
import { AgentOperatorServiceService, type LogChunk, type ReadLogRequest } from "../../src/wire/gen/mesarch/v1/agent_operator.ts";

export class FakeAgent implements AsyncDisposable {
  readonly address: string;
  readonly #server: Server;

  private constructor(server: Server, address: string) {
    this.#server = server;
    this.address = address;
  }

  /** `output`: all that the task wrote to this stream. */
  static async start(output: (request: ReadLogRequest) => string): Promise<FakeAgent> {
    const server = new Server();
    server.addService(AgentOperatorServiceService, {
      readLog: (stream: ServerWritableStream<ReadLogRequest, LogChunk>) => {
        stream.on("error", () => {});
        stream.write({ data: Buffer.from(output(stream.request)), offset: stream.request.offset, rotated: false });
        stream.end();
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)));
    });
    return new FakeAgent(server, `127.0.0.1:${port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }
}
