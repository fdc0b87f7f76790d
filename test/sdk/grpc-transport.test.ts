/** The SDK's streams over gRPC, to the doors that masters open. */
import test from "ava";
import { systemClock } from "../../src/async/clock.ts";
import type { BoundServer } from "../../src/grpc/listen.ts";
import { openMasterDoors } from "../../src/grpc/master-doors.ts";
import { GrpcPeerLinks } from "../../src/grpc/peer-links.ts";
import { Channels } from "../../src/sdk/channels.ts";
import { GrpcTransport } from "../../src/sdk/grpc-transport.ts";
import { TelemetryRecorder } from "../../src/telemetry/recorder.ts";
import { ScriptedApi, type ServingMaster, transportContract, type TransportWorld } from "../contracts/transport-contract.ts";

class GrpcWorld implements TransportWorld {
  readonly transport = new GrpcTransport(new Channels());
  readonly #doors: BoundServer[] = [];

  async serve(address = "127.0.0.1:0"): Promise<ServingMaster> {
    const api = new ScriptedApi();
    const peers = new GrpcPeerLinks(systemClock);
    const door = await openMasterDoors({ listen: address, peers, log: new TelemetryRecorder().log, doors: () => api as never });
    this.#doors.push(door);
    return { address: `127.0.0.1:${door.port}`, api, kill: door.close };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.transport[Symbol.dispose]();
    for (const door of this.#doors) door.close();
  }
}

transportContract(test, "gRPC", () => new GrpcWorld());
