/** What a framework's scheduler process has of masters: calls, as a session of the SDK has them, and what it is told. */
import type { Offer, SchedulerEvent, TaskInfo, TaskStatus } from "../../src/sdk/index.ts";
import type { OpenCall, Standpoint } from "../history/recorder.ts";
import type { Network } from "./network.ts";
import type { SimProcess } from "./virtual-time.ts";

/** A promise resolves once a master has it durably, with where that was true; what else became of it is in the error. */
export interface SchedulerClient {
  launch(offer: Offer, tasks: readonly TaskInfo[]): Promise<Standpoint>;
  decline(offer: Offer, refuseSeconds: number): Promise<Standpoint>;
  /** `agent`: where it runs, if that is to be said. */
  kill(task: string, agent: string | undefined): Promise<Standpoint>;
  acknowledge(status: TaskStatus): Promise<Standpoint>;
  reconcile(tasks: readonly string[]): Promise<Standpoint>;
  /** No more offers, until they are asked for again: also by the next leader. */
  suppress(): Promise<Standpoint>;
  revive(): Promise<Standpoint>;
  teardown(): Promise<Standpoint>;
}

export type Send = (client: SchedulerClient) => Promise<Standpoint>;

/** What the framework wants to hear of. */
export interface SchedulerListener {
  /** It wants no more streams. */
  readonly over: boolean;
  /** SUBSCRIBE is being sent; what became of it is to be told once. */
  asks(): OpenCall;
  subscribed(): void;
  disconnected(): void;
  told(event: SchedulerEvent): void;
  /** A master does not want this framework. */
  refused(message: string): void;
}

/** One scheduler process, and how it is made. */
export interface SchedulerLife {
  readonly process: SimProcess;
  readonly network: Network;
  /** host:port of each. */
  readonly masters: readonly string[];
  readonly seed: number;
  readonly framework: string;
  readonly failoverTimeoutS: number;
  readonly partitionAware: boolean;
  /** Its number among those of the framework. */
  readonly start: number;
  readonly listener: SchedulerListener;
  /** A rare branch was reached. */
  readonly mark: (name: string) => void;
  /** Something happened that must never. */
  readonly complain: (message: string) => void;
}
