/** Random histories of one agent: orders, ends, crashes, reboots and new leaders in any order. */
import test from "ava";
import fc from "fast-check";
import { stateName } from "../../../src/model/task-state.ts";
import type { RunState } from "../../../src/ports/containers.ts";
import type { TaskUpdate } from "../../../src/wire/gen/mesarch/v1/agents.ts";
import { AgentWorld, type FakeLink, RUNNING, exited, launchId } from "./agent-world.ts";

const LAUNCHES = 4;

/** A host and a leader that do what the agent asks, at once, and note what must never differ. */
class History {
  readonly world = AgentWorld.started();
  readonly runs = new Map<number, RunState>();
  /** Processes really begun, by launch. */
  readonly begun = new Map<number, number>();
  /** What was said of each launch, by sequence number. */
  readonly said = new Map<string, string>();
  /** Launches whose row is there, and those among them with a kill mark. */
  readonly rows = new Set<number>();
  readonly killed = new Set<number>();
  readonly forgotten = new Set<number>();
  readonly heads = new Map<number, TaskUpdate>();
  link: FakeLink | undefined;
  epoch = 1;

  lead(): void {
    this.epoch += 1;
    const { world } = this;
    world.outputs = [];
    this.link = world.link();
    this.link.lead(this.epoch);
    const { held, listed } = world.report();
    // What is not deliverable any more is cancelled; what is not held is ordered again (9.3).
    const unstarted = held.filter(({ unstarted }) => unstarted).map((task) => task.launchId);
    const wanted = (id: string): boolean => !this.killed.has(parseInt(id, 16));
    this.link.confirm();
    this.link.say({ $case: "settle", value: { start: unstarted.filter(wanted), cancel: unstarted.filter((id) => !wanted(id)), forget: [] } });
    const known = new Set(world.machine.state.tasks.keys());
    for (const n of this.rows) {
      if (!known.has(launchId(n)) && !this.forgotten.has(n) && !this.ended(n)) this.link.launch(n);
      if (this.killed.has(n)) this.link.kill(n);
    }
    if (listed) for (const { launchId: id, seq, state } of held) this.note(id, seq, stateName(state as 0));
    this.carryOut();
  }

  /** Does what was asked until nothing is left to do. */
  carryOut(): void {
    for (let output = this.world.outputs.shift(); output !== undefined; output = this.world.outputs.shift()) {
      if (output.kind === "start") {
        const n = parseInt(output.task.launchId, 16);
        if (this.run(n).kind !== "absent") continue;
        this.begun.set(n, (this.begun.get(n) ?? 0) + 1);
        this.world.step({ kind: "spawned", launchId: output.task.launchId });
        this.become(n, { kind: "starting" });
      } else if (output.kind === "cancel") {
        const n = parseInt(output.launchId, 16);
        const won = this.run(n).kind === "absent" || this.run(n).kind === "cancelled";
        if (won) this.runs.set(n, { kind: "cancelled" });
        this.world.step({ kind: "cancelled", launchId: output.launchId, won });
      } else if (output.kind === "kill") {
        const n = parseInt(output.launchId, 16);
        if (this.run(n).kind === "starting") this.become(n, { kind: "neverRan" });
        else if (this.run(n).kind === "running") this.become(n, exited(143, true));
      } else if (output.kind === "say" && output.message.body?.$case === "update") {
        const update = output.message.body.value;
        this.note(update.launchId, update.seq, stateName(update.status!.state!), Buffer.from(update.status!.uuid!).toString("hex"));
        this.heads.set(parseInt(update.launchId, 16), update);
      } else if (output.kind === "say" && output.message.body?.$case === "forgotten") {
        for (const id of output.message.body.value.launchIds) this.forgotten.add(parseInt(id, 16));
      } else if (output.kind === "collect") this.runs.delete(parseInt(output.launchId, 16));
    }
  }

  run(n: number): RunState {
    return this.runs.get(n) ?? { kind: "absent" };
  }

  become(n: number, state: RunState): void {
    this.runs.set(n, state);
    this.world.run(n, state);
  }

  /** The same sequence number must always tell the same. */
  note(id: string, seq: number, state: string, uuid = ""): void {
    const key = `${id}/${seq}`;
    const before = this.said.get(key);
    if (uuid === "" || before === undefined) return void (uuid !== "" && this.said.set(key, `${state} ${uuid}`));
    if (before !== `${state} ${uuid}`) throw new Error(`${key} was ${before}, now ${state} ${uuid}`);
  }

  ended(n: number): boolean {
    return [...this.said].some(([key, value]) => key.startsWith(launchId(n)) && isTerminalName(value));
  }

  restart(boot: string): void {
    this.world.boot = boot;
    this.link = undefined;
    this.world.restart(Object.fromEntries(this.runs));
    this.carryOut();
  }
}

function isTerminalName(value: string): boolean {
  return !/^TASK_(STAGING|STARTING|RUNNING|KILLING)/.test(value);
}

type Event = (history: History) => void;

const numbered = (name: string, does: (history: History, n: number) => void) =>
  fc.integer({ min: 1, max: LAUNCHES }).map((n): Event => Object.assign((history: History) => does(history, n), { toString: () => `${name} ${n}` }));
const plain = (name: string, does: Event) => fc.constant(Object.assign((history: History) => does(history), { toString: () => name }));

const event = fc.oneof(
  numbered("launch", (history, n) => {
    if (history.link === undefined || history.forgotten.has(n)) return;
    history.rows.add(n);
    history.link.launch(n);
    history.carryOut();
  }),
  numbered("order that is lost in a crash", (history, n) => {
    if (history.link === undefined || history.rows.has(n)) return;
    history.rows.add(n);
    history.restart(history.world.boot);
  }),
  numbered("crash before the start", (history, n) => {
    if (history.link === undefined || history.rows.has(n)) return;
    history.rows.add(n);
    history.link.launch(n);
    history.restart(history.world.boot);
  }),
  numbered("kill", (history, n) => {
    if (!history.rows.has(n)) return;
    history.killed.add(n);
    history.link?.kill(n);
    history.carryOut();
  }),
  numbered("runs", (history, n) => {
    if (history.run(n).kind === "starting") history.become(n, RUNNING);
    history.carryOut();
  }),
  numbered("exits", (history, n) => {
    if (history.run(n).kind === "running" || history.run(n).kind === "starting") history.become(n, exited(n % 2));
    history.carryOut();
  }),
  numbered("acknowledged", (history, n) => {
    const head = history.heads.get(n);
    if (head !== undefined) history.link?.acknowledge(head);
    history.carryOut();
  }),
  plain("time passes", (history) => {
    history.world.pass(30_000);
    history.carryOut();
  }),
  plain("new leader", (history) => history.lead()),
  plain("agent crashes", (history) => history.restart(history.world.boot)),
  plain("host restarts", (history) => {
    for (const [n, run] of history.runs) if (run.kind === "starting" || run.kind === "running") history.runs.set(n, { kind: "lost" });
    history.restart(`${history.world.boot}'`);
  }),
);

test("whatever happens: at most one process a launch, each update told one way, and everything ends and is forgotten", (t) => {
  const property = fc.property(fc.array(event, { maxLength: 60 }), (events) => {
    const history = new History();
    history.lead();
    for (const happen of events) happen(history);
    endAll(history);
    for (const count of history.begun.values()) if (count > 1) throw new Error("a launch had two processes");
    const { tasks, digest, used } = history.world.machine.state;
    if (tasks.size > 0) throw new Error(`still held: ${[...tasks.keys()].join(", ")}`);
    if (digest.count !== 0 || !used.isEmpty) throw new Error("something is left in the books");
  });
  t.notThrows(() => fc.assert(property, { seed: 42, numRuns: 400 }));
});

/** Every process ends, and everything said is acknowledged. */
function endAll(history: History): void {
  history.lead();
  for (let round = 0; round < 8; round += 1) {
    for (const n of history.rows) {
      if (history.run(n).kind === "starting" || history.run(n).kind === "running") history.become(n, exited(0));
      history.carryOut();
      const head = history.heads.get(n);
      if (head !== undefined) history.link!.acknowledge(head);
      history.carryOut();
    }
    history.world.pass(70_000);
    history.carryOut();
  }
}
