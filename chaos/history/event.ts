/**
 * What every actor of a run writes down, in simulation and in real runs alike (D14): one event, one JSON line. Checkers
 * read nothing else. Times are monotonic milliseconds on one clock of the run; epochs are the text of `epochText`,
 * revisions those of the registry; after a restore they go on above those from before.
 *
 * Task ids, nonces, uuids and offers are unique in a run: no two frameworks use one task id. An agent is named by its id
 * in the registry everywhere but in `actor` and in the targets of faults, which name its host; what an agent says of
 * itself (`agentStarted`, `agentObeys`) tells which is which.
 */
import type { TaskStateName } from "../../src/sdk/index.ts";

/** Quantities by resource name in thousandths; ports and other sets stand as `name:item` with 1000 each. */
export type Amounts = Readonly<Record<string, number>>;

/**
 * How a client's call went: sent; answered as done; answered as not done; or nothing was heard of it. What is unknown
 * may have happened, and may still happen, for ever.
 */
export type Outcome = "invoke" | "ok" | "fail" | "unknown";

interface Calls {
  /** `partitionAware`: true unless said otherwise. */
  readonly subscribe: { readonly framework: string; readonly failoverTimeoutMs: number; readonly partitionAware?: boolean };
  readonly launch: {
    readonly framework: string;
    readonly offers: readonly string[];
    readonly agent: string;
    readonly tasks: readonly { readonly task: string; readonly resources: Amounts }[];
  };
  readonly kill: { readonly framework: string; readonly task: string; readonly graceMs: number };
  readonly acknowledge: { readonly framework: string; readonly agent: string; readonly task: string; readonly uuid: string };
  readonly reconcile: { readonly framework: string; readonly tasks: readonly string[] };
  readonly decline: { readonly framework: string; readonly offers: readonly string[] };
  readonly teardown: { readonly framework: string };
  readonly markGone: { readonly agent: string };
  /** Whether anything of the agent is offered. */
  readonly setActive: { readonly agent: string; readonly active: boolean };
  readonly setWeight: { readonly role: string; readonly weight: number };
}

export type CallName = keyof Calls;
export type CallValue<K extends CallName> = Calls[K];

interface Observations {
  /** A framework's stream: what it was told. */
  readonly subscribed: { readonly framework: string };
  readonly disconnected: { readonly framework: string };
  readonly frameworkError: { readonly framework: string; readonly message: string };
  readonly offer: {
    readonly framework: string;
    readonly offer: string;
    readonly agent: string;
    readonly role: string;
    readonly resources: Amounts;
  };
  readonly rescind: { readonly framework: string; readonly offer: string };
  readonly update: {
    readonly framework: string;
    readonly task: string;
    readonly agent: string;
    readonly state: TaskStateName;
    /** Hex; empty when only the master speaks. */
    readonly uuid: string;
    readonly source: "agent" | "executor" | "master";
    readonly reason: string;
  };
  /** An agent process: its start (`agent` is empty before it has an id), the epoch it now obeys, and what it was ordered by whom. */
  readonly agentStarted: { readonly agent: string; readonly starts: number };
  readonly agentObeys: { readonly agent: string };
  /** A leader told it that it is gone, so it ended what it had, and itself. */
  readonly agentSentAway: { readonly agent: string };
  /** The host was set up anew, with an empty work directory: what starts there next is another agent. */
  readonly agentSetUp: { readonly agent: string };
  readonly agentOrdered: { readonly agent: string; readonly order: "launch" | "kill" | "cancel"; readonly launch: string };
  /** It journaled an update, before it said it; and that it forgot a launch. */
  readonly agentUpdate: { readonly agent: string; readonly launch: string; readonly task: string; readonly state: TaskStateName; readonly uuid: string };
  readonly agentAcknowledged: { readonly agent: string; readonly launch: string; readonly uuid: string };
  readonly agentForgot: { readonly agent: string; readonly launch: string };
  /** The task itself, seen by nobody else. `pid` and `nonce` tell one start from another. */
  readonly witnessStart: { readonly task: string; readonly launch: string; readonly agent: string; readonly pid: number; readonly nonce: string };
  readonly witnessBeat: { readonly task: string; readonly nonce: string };
  readonly witnessSignal: { readonly task: string; readonly nonce: string; readonly signal: string };
  /** As a shell tells it: 128 and the number of the signal that ended it, or below that what it exited with by itself. */
  readonly witnessExit: { readonly task: string; readonly nonce: string; readonly status: number };
  /** The registry, as its own log shows it: one event a revision. */
  readonly commit: { readonly master: string; readonly n: number; readonly ops: number; readonly rows: readonly RowChange[] };
  /** Rows written by a transaction without a head, or candidate keys that came and went. */
  readonly foreign: { readonly keys: readonly string[] };
  readonly candidates: { readonly added: readonly string[]; readonly removed: readonly string[] };
  /** The store was set back to what it was at revision `to`; its own revision stands above all that it gave out before. */
  readonly restored: { readonly to: number };
  /** A fenced transaction was refused: the fence worked. */
  readonly fenced: { readonly master: string };
  /** A master began or ended to lead, by its own account. */
  readonly leads: { readonly master: string };
  readonly leadsNoMore: { readonly master: string; readonly why: string };
  /**
   * An operator's reading. `stale`: a standby's answer, labelled as such. All tasks by their ids, in the state shown;
   * those that ended may be left out. Whoever reads agents and frameworks too, reads all of them.
   */
  readonly read: {
    readonly master: string;
    readonly stale: boolean;
    readonly startedAt: number;
    readonly tasks: Readonly<Record<string, TaskStateName>>;
    readonly agents?: Readonly<Record<string, AgentStanding>>;
    readonly frameworks?: Readonly<Record<string, FrameworkStanding>>;
  };
  /**
   * The operators' stream of events: one thing and how it stands, of the snapshot or as it changed. `id` is a launch, an
   * agent or a framework; `stream` is new with each connection, which is how a gap is announced.
   */
  readonly news: {
    readonly stream: string;
    readonly snapshot: boolean;
    readonly table: "task" | "agent" | "framework";
    readonly id: string;
    readonly state: TaskStateName | AgentStanding | FrameworkStanding;
  };
  /** Free, offered and used of one agent, as its master counts. */
  readonly books: { readonly agent: string; readonly total: Amounts; readonly used: Amounts; readonly offered: Amounts; readonly free: Amounts };
  /** A process, once a second; at rest with what it holds after its garbage was collected. */
  readonly process: { readonly name: string; readonly rssMb: number; readonly heldMb?: number; readonly descriptors: number };
  /** The machine itself stood still until now. */
  readonly hostStall: { readonly ms: number };
  /** Something that must never be there: an unhandled rejection, a failed assertion, an alarm. */
  readonly complaint: { readonly of: string; readonly message: string };
  /** Phases of the run: quiet, chaos, healed, settled, final. */
  readonly phase: { readonly name: "quiet" | "chaos" | "healed" | "settled" | "final" };
  /** What a framework, or anybody of a whole cluster, wanted and did not have when the time for it was up. */
  readonly wishes: { readonly of: string; readonly open: readonly string[] };
  /** What is left over in the end: processes, control groups, keys. */
  readonly leftover: { readonly what: string };
  /** How long a recovery took, from the fault to the next durable answer. */
  readonly recovery: { readonly fault: string; readonly ms: number };
  /** A rare branch was reached. */
  readonly mark: { readonly name: string };
}

export type ObservationName = keyof Observations;

export type FrameworkStanding = "subscribed" | "disconnected" | "removed";
export type AgentStanding = "in" | "unreachable" | "gone";

/** A row as it is after a revision; without a record it was deleted. A `task` goes by its launch id. */
export type RowChange =
  | { readonly table: "framework"; readonly id: string; readonly standing?: FrameworkStanding }
  | { readonly table: "agent"; readonly id: string; readonly standing?: AgentStanding; readonly active?: boolean; readonly term?: number; readonly total?: Amounts }
  | {
      readonly table: "task";
      readonly id: string;
      readonly task?: {
        readonly task: string;
        readonly framework: string;
        readonly agent: string;
        readonly state: TaskStateName;
        readonly latest: TaskStateName;
        readonly seq: number;
        readonly uuid: string;
        readonly killed: boolean;
        readonly settled: boolean;
        readonly resources: Amounts;
      };
    }
  | { readonly table: "history"; readonly id: string; readonly task?: { readonly launch: string; readonly task: string; readonly framework: string; readonly state: TaskStateName } }
  /** Without one it is 1. */
  | { readonly table: "weight"; readonly id: string; readonly weight?: number }
  | { readonly table: "leader" | "meta"; readonly id: string };

/**
 * A fault, from when to when, and whom it met in which role. What strikes at once and lasts, as a kill does, is on until
 * whatever was struck is back. Off without targets: all of that name; the phase `healed` ends all there are.
 *
 * Targets: `master/m1`, `etcd/e2`, `framework/f1`; `agent/a1` is its process alone, which excuses no task; `host/a1`
 * is everything on that host (`host/*`: on all), and `task/t9` that task, which are excused. Links: `link/master/m1~etcd/e2`.
 */
interface Faults {
  readonly fault: { readonly name: string; readonly targets: readonly string[]; readonly on: boolean };
}

interface Common {
  /** Order of writing, within the run. */
  readonly seq: number;
  readonly t: number;
  /** `framework/f1`, `agent/a2`, `witness/t9`, `registry`, `operator/m1`, `master/m1`, `nemesis`, `host`. */
  readonly actor: string;
  readonly epoch?: string;
  readonly revision?: number;
}

/** A call of one kind, at one of its two ends. */
export type CallEventOf<K extends CallName> = Extract<CallEvent, { readonly op: K }>;

export type CallEvent = {
  [K in CallName]: Common & { readonly kind: Outcome; readonly op: K; /** Pairs an invocation with its outcome, within the actor. */ readonly call: number; readonly value: Calls[K]; readonly error?: string };
}[CallName];

export type Observation = { [K in keyof Observations]: Common & { readonly kind: "observe"; readonly op: K; readonly value: Observations[K] } }[keyof Observations];

export type FaultEvent = { [K in keyof Faults]: Common & { readonly kind: "fault"; readonly op: K; readonly value: Faults[K] } }[keyof Faults];

export type HistoryEvent = CallEvent | Observation | FaultEvent;

export type Op = HistoryEvent["op"];
export type EventOf<K extends Op> = Extract<HistoryEvent, { readonly op: K }>;

/** What a writer says; the recorder adds order and time. */
export type Unrecorded = HistoryEvent extends infer E ? (E extends HistoryEvent ? Omit<E, "seq" | "t"> & { readonly t?: number } : never) : never;
