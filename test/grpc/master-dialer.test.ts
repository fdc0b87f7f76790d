/** An agent's links to masters: over gRPC, to the door that masters open. */
import test from "ava";
import { systemClock } from "../../src/async/clock.ts";
import { GrpcMasterDialer, type DialerOptions } from "../../src/grpc/agent-link.ts";
import type { BoundServer } from "../../src/grpc/listen.ts";
import { openMasterDoors } from "../../src/grpc/master-doors.ts";
import { GrpcPeerLinks } from "../../src/grpc/peer-links.ts";
import type { AgentSessions } from "../../src/api/agent-sessions.ts";
import { TelemetryRecorder } from "../../src/telemetry/recorder.ts";
import type { AgentMessage, MasterMessage } from "../../src/wire/gen/mesarch/v1/agents.ts";
import { type DialerWorld, type ListeningMaster, masterDialerContract, type MasterEnd } from "../contracts/master-dialer-contract.ts";
import { Arrivals } from "../support/arrivals.ts";

const fence = { clusterId: "c", epoch: { generation: 1, revision: 1 }, session: 1 };
const ping = (sequence: number): MasterMessage => ({ body: { $case: "ping", value: { sequence } } });

class GrpcWorld implements DialerWorld {
  readonly dialer: GrpcMasterDialer;
  readonly #doors: BoundServer[] = [];

  constructor(options: DialerOptions) {
    this.dialer = new GrpcMasterDialer(options);
  }

  async listen(address = "127.0.0.1:0"): Promise<ListeningMaster> {
    const links = new Arrivals<MasterEnd>();
    const door = await openMasterDoors({
      listen: address,
      peers: new GrpcPeerLinks(systemClock),
      log: new TelemetryRecorder().log,
      doors: () => ({ agents: { open: openInto(links) } }) as never,
    });
    this.#doors.push(door);
    return { address: `127.0.0.1:${door.port}`, links, kill: door.close };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dialer[Symbol.dispose]();
    for (const door of this.#doors) door.close();
  }
}

function openInto(links: Arrivals<MasterEnd>): AgentSessions["open"] {
  return (sink) => {
    const heard = new Arrivals<AgentMessage>();
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    links.push({ heard, ended, ping: (sequence) => sink.send(ping(sequence), { ...fence }), end: () => sink.close("over") });
    return { messages: (messages) => messages.forEach((message) => heard.push(message)), closed: resolve };
  };
}

masterDialerContract(test, "gRPC", () => new GrpcWorld({}));
masterDialerContract(test, "gRPC on shared connections", () => new GrpcWorld({ shared: true }));
