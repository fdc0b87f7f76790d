import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A loopback TCP proxy that can be cut (connections end, and new ones are accepted and closed at once) or slow to answer. */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #cut = false;
  #latencyMs = 0;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => {
      if (this.#cut) return void client.destroy();
      const target = connect(targetPort, "127.0.0.1");
      for (const [socket, peer] of [[client, target], [target, client]] as const) {
        this.#sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          this.#sockets.delete(socket);
          peer.destroy();
        });
      }
      client.pipe(target);
      this.#answer(target, client);
    });
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await new Promise<void>((done, fail) => proxy.#server.once("error", fail).listen(0, "127.0.0.1", done));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Clients connected. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** What the target says from now on arrives so much later, in order. */
  delayAnswers(ms: number): void {
    this.#latencyMs = ms;
  }

  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  heal(): void {
    this.#cut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    for (const timer of this.#timers) clearTimeout(timer);
    await new Promise((done) => this.#server.close(done));
  }

  #answer(target: Socket, client: Socket): void {
    const waiting: Buffer[] = [];
    target.on("data", (data: Buffer) => {
      if (this.#latencyMs === 0 && waiting.length === 0) return void client.write(data);
      waiting.push(data);
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        // The oldest, whichever timer fires first: a delay that shrinks must not change the order.
        client.write(waiting.shift()!);
      }, this.#latencyMs);
      this.#timers.add(timer);
    });
  }
}
