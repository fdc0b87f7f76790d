/** Binds a gRPC server to an address, with an error a person can act on. */
import type { Server, ServerCredentials } from "@grpc/grpc-js";
import { MesarchError } from "../base/errors.ts";

export interface BoundServer {
  readonly port: number;
  /** Ends all streams and stops listening. */
  close(): void;
}

export function bindServer(server: Server, listen: string, credentials: ServerCredentials): Promise<BoundServer> {
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, port) => {
      if (error === null) return resolve({ port, close: () => server.forceShutdown() });
      reject(
        new MesarchError("unavailable", `cannot listen on ${listen}: ${error.message}`, {
          remedy: "another process may hold the port: end it, or choose another with --grpc-port",
          cause: error,
        }),
      );
    });
  });
}
