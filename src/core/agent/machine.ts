/**
 * The agent: `step(input, now)` and `nextDeadline()`, nothing else. Deterministic: the same journal, inputs, times and
 * randomness give the same records and words.
 */
import type { Epoch } from "../../base/epoch.ts";
import type { Random } from "../../base/random.ts";
import { Digest } from "../../model/digest.ts";
import { Resources } from "../../model/resources.ts";
import type { JournalRecord } from "../../wire/gen/mesarch/v1/checkpoint.ts";
import { Deadlines } from "../deadlines.ts";
import { fold, snapshot } from "./fold.ts";
import type { Input } from "./input.ts";
import { cancelAnswered, recover, runChanged, runDue, spawned, startFailed } from "./runs.ts";
import { fromMaster, linkClosed, linkOpened, pingDue, reportDue } from "./session.ts";
import type { AgentSettings } from "./settings.ts";
import type { AgentState } from "./state.ts";
import { sayHead, sayHeads } from "./status-stream.ts";
import { Step, type StepResult } from "./step.ts";

type Handler<K extends Input["kind"]> = (state: AgentState, step: Step, input: Extract<Input, { kind: K }>) => void;

/** An input without a handler does not compile. */
const handlers: { readonly [K in Input["kind"]]: Handler<K> } = {
  started: (state, step, { runs }) => started(state, step, runs),
  linkOpened: (state, step, { link }) => linkOpened(state, step, link),
  linkClosed: (state, step, { link }) => linkClosed(state, step, link),
  fromMaster: (state, step, { link, batch }) => fromMaster(state, step, link, batch),
  runChanged: (state, step, input) => runChanged(state, step, input.launchId, input.state),
  spawned: (state, step, { launchId }) => spawned(state, step, launchId),
  startFailed: (state, step, { launchId, reason }) => startFailed(state, step, launchId, reason),
  cancelled: (state, step, { launchId, won }) => cancelAnswered(state, step, launchId, won),
  storage: (state, step, { storage }) => storageChanged(state, step, storage),
  deadline: (state, step) => due(state, step),
};

export interface MachineOptions {
  readonly settings: AgentSettings;
  readonly random: Random;
  /** The highest epoch obeyed, from its slot (8.1). */
  readonly epoch: Epoch;
  /** The journal, oldest first (8.3). */
  readonly records: Iterable<JournalRecord>;
}

export class AgentMachine {
  readonly #state: AgentState;

  constructor({ settings, random, epoch, records }: MachineOptions) {
    this.#state = {
      settings,
      random,
      deadlines: new Deadlines(),
      identity: { agentId: "", clusterId: "", registrationNonce: "" },
      epoch,
      tasks: new Map(),
      digest: new Digest(),
      used: Resources.none,
      links: new Set(),
      leader: undefined,
      confirmedOnce: false,
      storage: "good",
      leaving: undefined,
    };
    for (const record of records) fold(this.#state, record);
  }

  /** Handles one input. `now`: monotonic milliseconds, never less than before; `wall`: the time to show. */
  step(input: Input, now: number, wall: number): StepResult {
    const step = new Step(this.#state, now, wall);
    const handle = handlers[input.kind] as Handler<typeof input.kind>;
    handle(this.#state, step, input as never);
    leaveWhenEmpty(this.#state, step);
    return step;
  }

  /** When to step with `{kind: "deadline"}` next; undefined when nothing is pending. */
  nextDeadline(): number | undefined {
    return this.#state.deadlines.next();
  }

  /** The shortest journal that means what all records so far mean: for a new file (8.3). */
  snapshot(): JournalRecord[] {
    return snapshot(this.#state);
  }

  /** For views, invariants and tests; never changed from outside. */
  get state(): Readonly<AgentState> {
    return this.#state;
  }
}

function started(state: AgentState, step: Step, runs: Extract<Input, { kind: "started" }>["runs"]): void {
  // 8.7: kept before the first registration, so that a repeated one yields the same id.
  if (state.identity.registrationNonce === "") {
    step.journal({ $case: "identity", value: { ...state.identity, registrationNonce: state.random.hex(16) } });
  }
  recover(state, step, runs);
}

function storageChanged(state: AgentState, step: Step, storage: AgentState["storage"]): void {
  const wasStalled = state.storage === "stalled";
  state.storage = storage;
  if (wasStalled && storage !== "stalled") sayHeads(state, step);
}

function due(state: AgentState, step: Step): void {
  for (let key = state.deadlines.takeDue(step.now); key !== undefined; key = state.deadlines.takeDue(step.now)) {
    const [kind, launchId = ""] = key.split("/");
    if (kind === "ping") pingDue(state, step);
    else if (kind === "report") reportDue(state, step);
    else if (kind === "run") runDue(state, step, launchId);
    else {
      const task = state.tasks.get(launchId);
      if (task !== undefined) sayHead(state, step, task);
    }
  }
}

/** Gone by the registry's word: it leaves once nothing runs any more. */
function leaveWhenEmpty(state: AgentState, step: Step): void {
  if (state.leaving === undefined) return;
  for (const task of state.tasks.values()) if (task.phase !== "ended") return;
  step.output({ kind: "leave", reason: "gone", message: state.leaving });
}
