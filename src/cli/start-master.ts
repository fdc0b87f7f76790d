/** Composition root of a master process: store, doors, links, telemetry and the master itself. */
import { systemClock } from "../async/clock.ts";
import { systemRandom } from "../async/system-random.ts";
import { OwnProcess } from "../containers/own-process.ts";
import { connectStore } from "../etcd/store.ts";
import type { EtcdOptions } from "../etcd/options.ts";
import { openMasterDoors } from "../grpc/master-doors.ts";
import { GrpcPeerLinks } from "../grpc/peer-links.ts";
import { Master } from "../master/master.ts";
import type { MasterOptions } from "../master/options.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

export interface MasterProcessOptions {
  readonly master: Omit<MasterOptions, "address"> & {
    /** Host by which others reach this master; default: where it listens. */
    readonly advertiseHost?: string;
  };
  /** host:port of the gRPC door; port 0 takes a free one. */
  readonly listen: string;
  readonly etcd: EtcdOptions;
  /** Operators may crash and hang this process. Default false. */
  readonly allowDrills?: boolean;
}

export interface RunningMaster {
  readonly address: string;
  readonly master: Master;
  /** Rejects when the master cannot go on. */
  readonly done: Promise<void>;
  /** Hands over, then ends. */
  stop(): Promise<void>;
}

/** Starts a master; resolves once its doors are open. Rejects when the port is taken or the options cannot be right. */
export async function startMaster(options: MasterProcessOptions, telemetry: Telemetry): Promise<RunningMaster> {
  const peers = new GrpcPeerLinks(systemClock);
  let master: Master | undefined;
  // The port is bound first: whoever holds it is entitled to this address (2.14).
  const doors = await openMasterDoors({ listen: options.listen, peers, log: telemetry.log, doors: () => master });
  const host = options.master.advertiseHost ?? options.listen.slice(0, options.listen.lastIndexOf(":"));
  const address = `${host}:${doors.port}`;
  const store = connectStore(options.etcd);
  const drills = options.allowDrills === true ? new OwnProcess(telemetry.log) : undefined;
  master = new Master({ ...options.master, address }, { store, peers, clock: systemClock, random: systemRandom, telemetry, drills });
  master.start();
  const running = master;
  return {
    address,
    master,
    done: master.done,
    async stop() {
      await running.stop();
      doors.close();
      await store[Symbol.asyncDispose]();
    },
  };
}
