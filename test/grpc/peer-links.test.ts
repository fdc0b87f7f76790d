/** Links between masters over gRPC. */
import { Server, ServerCredentials } from "@grpc/grpc-js";
import test from "ava";
import { systemClock } from "../../src/async/clock.ts";
import { serverOptions } from "../../src/grpc/limits.ts";
import { bindServer, type BoundServer } from "../../src/grpc/listen.ts";
import { GrpcPeerLinks } from "../../src/grpc/peer-links.ts";
import { peersContract, type PeerProcess, type PeerWorld } from "../contracts/peers-contract.ts";

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

peersContract(test, "gRPC", () => new GrpcWorld());
