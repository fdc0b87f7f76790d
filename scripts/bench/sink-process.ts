/** A collector that takes all it is sent and keeps nothing. Argument: its port. Tells how much it was. */
import { createServer } from "node:http";

export interface Received {
  readonly requests: number;
  readonly bytes: number;
}

const TELL_MS = 200;

let [requests, bytes] = [0, 0];
const server = createServer((request, response) => {
  request.on("data", (chunk: Buffer) => (bytes += chunk.length));
  request.on("end", () => {
    requests += 1;
    // An empty answer is "all accepted".
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => process.send?.({ ready: true }));
setInterval(() => process.send?.({ requests, bytes } satisfies Received), TELL_MS);
process.on("disconnect", () => process.exit(0));
process.once("SIGTERM", () => process.exit(0));
