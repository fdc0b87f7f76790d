/** Links between masters: over gRPC, and in memory. */
import { Server, ServerCredentials } from "@grpc/grpc-js";
import test from "ava";
import { systemClock } from "../../src/async/clock.ts";
import { serverOptions } from "../../src/grpc/limits.ts";
import { bindServer, type BoundServer } from "../../src/grpc/listen.ts";
import { GrpcPeerLinks } from "../../src/grpc/peer-links.ts";
import { peersContract, type PeerProcess, type PeerWorld } from "../contracts/peers-contract.ts";
import { PeerHub } from "../support/memory-peers.ts";

class GrpcWorld implements PeerWorld {
  readonly #doors = new Map<PeerProcess, BoundServer>();

  async join(address = "127.0.0.1:0"): Promise<PeerProcess> {
    const links = new GrpcPeerLinks(systemClock);
    const server = new Server(serverOptions);
    links.serve(server);
    const door = await bindServer(server, address, ServerCredentials.createInsecure());
    const process = { address: `127.0.0.1:${door.port}`, links };
    this.#doors.set(process, door);
    return process;
  }

  async kill(process: PeerProcess): Promise<void> {
    process.links.listen({ heard: () => {}, closed: () => {} });
    this.#doors.get(process)!.close();
    await process.links[Symbol.asyncDispose]();
  }

  unreachable(): string {
    return "nowhere.invalid:1";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#doors.keys()) await this.kill(process);
  }
}

class MemoryWorld implements PeerWorld {
  readonly #hub = new PeerHub();
  #last = 0;

  async join(address = `m${++this.#last}:1`): Promise<PeerProcess> {
    return { address, links: this.#hub.join(address) };
  }

  async kill({ address }: PeerProcess): Promise<void> {
    this.#hub.kill(address);
  }

  unreachable(): string {
    const address = "nowhere:1";
    this.#hub.join(address);
    for (let i = 1; i <= this.#last; i += 1) this.#hub.cut(`m${i}:1`, address);
    return address;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

peersContract(test, "gRPC", () => new GrpcWorld());
peersContract(test, "in memory", () => new MemoryWorld());
