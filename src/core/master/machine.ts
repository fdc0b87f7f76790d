/**
 * The leading master: `step(input, now)` and `nextDeadline()`, nothing else. Deterministic: the same tables, inputs,
 * times and randomness give the same writes and words.
 */
import type { Random } from "../../base/random.ts";
import { Allocator } from "../allocator/allocator.ts";
import { Deadlines } from "../deadlines.ts";
import type { Change } from "../registry/change.ts";
import type { Tables } from "../registry/tables.ts";
import * as agents from "./agents.ts";
import * as deadlines from "./deadline-table.ts";
import * as frameworks from "./frameworks.ts";
import * as leadership from "./leadership.ts";
import * as liveness from "./liveness.ts";
import { newMembership } from "./membership.ts";
import * as messages from "./messages.ts";
import * as operator from "./operator.ts";
import * as schedulerCalls from "./scheduler-calls.ts";
import * as updates from "./updates.ts";
import type { Input } from "./input.ts";
import type { Leadership, MasterSettings } from "./settings.ts";
import type { MasterState } from "./state.ts";
import { type Step, Tx } from "./tx.ts";

export type Handler<K extends Input["kind"]> = (state: MasterState, tx: Tx, input: Extract<Input, { kind: K }>) => void;

/** An input without a handler does not compile. */
const handlers: { readonly [K in Input["kind"]]: Handler<K> } = {
  subscribe: frameworks.subscribe,
  call: schedulerCalls.call,
  acceptRest: schedulerCalls.acceptRest,
  schedulerClosed: frameworks.streamClosed,
  agentOpened: agents.opened,
  agentReport: agents.reported,
  agentUpdate: updates.received,
  agentForgot: updates.forgotten,
  agentPong: liveness.pong,
  agentEpochRefused: agents.epochRefused,
  agentMessage: messages.fromExecutor,
  agentClosed: agents.closed,
  operator: operator.call,
  snapshotWanted: operator.snapshotPage,
  deadline: deadlines.due,
  mute: leadership.mute,
  readOnly: leadership.readOnly,
  nearlyFull: leadership.nearlyFull,
  leaderRecord: leadership.record,
};

export interface MachineOptions {
  readonly leadership: Leadership;
  readonly settings: MasterSettings;
  readonly tables: Tables;
  readonly random: Random;
  /** Encoded size of a change in bytes, for batching. */
  readonly sizeOf: (change: Change) => number;
  /** Whether operators listen to events: without listeners no notice is said. Absent: they do. */
  readonly watched?: () => boolean;
}

export class MasterMachine {
  readonly #state: MasterState;
  readonly #sizeOf: (change: Change) => number;

  constructor(options: MachineOptions, now: number) {
    const { leadership: led, settings, tables, random } = options;
    this.#sizeOf = options.sizeOf;
    this.#state = {
      leadership: led,
      epoch: { generation: led.generation, revision: led.revision },
      settings,
      tables,
      allocator: new Allocator({ filterGpuResources: settings.filterGpuResources }),
      deadlines: new Deadlines(),
      random,
      watched: options.watched ?? (() => true),
      idNonce: random.hex(4),
      counters: { framework: 0, agent: 0, offer: 0, leader: 0 },
      startedAt: now,
      clockAtStart: tables.head?.clusterClock ?? 0,
      frameworks: new Map(),
      frameworkSessions: new Map(),
      offers: new Map(),
      offersByAgent: new Map(),
      recentLosses: [],
      agentSessions: new Map(),
      agentStreams: new Map(),
      membership: newMembership(),
      mute: false,
      readOnly: "",
      nearlyFull: "",
    };
    leadership.begin(this.#state, now);
  }

  /**
   * Handles one input. `now`: monotonic milliseconds, never less than before. When it throws, that is a bug: the tables
   * are as before the step, the rest of the state is not to be trusted, and the machine is not to be used again (3.9).
   */
  step(input: Input, now: number): Step {
    const tx = new Tx(this.#state.tables, now, this.#sizeOf);
    const handle = handlers[input.kind] as Handler<typeof input.kind>;
    try {
      handle(this.#state, tx, input as never);
    } catch (error) {
      tx.rollBack();
      throw error;
    }
    return tx.finish();
  }

  /** When to step with `{kind: "deadline"}` next; undefined when nothing is pending. */
  nextDeadline(): number | undefined {
    return this.#state.deadlines.next();
  }

  /** For views, invariants and tests; never changed from outside. */
  get state(): Readonly<MasterState> {
    return this.#state;
  }
}
