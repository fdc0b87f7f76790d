/** A host: an agent process over its journal, and the processes it started, which outlive it. */
import assert from "node:assert/strict";
import { HeldParts } from "../../../src/api/held-parts.ts";
import { NO_EPOCH, type Epoch } from "../../../src/base/epoch.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { Input as AgentInput } from "../../../src/core/agent/input.ts";
import { AgentMachine } from "../../../src/core/agent/machine.ts";
import type { Output as AgentOutput } from "../../../src/core/agent/output.ts";
import { defaultAgentTimings } from "../../../src/core/agent/settings.ts";
import type { Input } from "../../../src/core/master/input.ts";
import type { Output } from "../../../src/core/master/output.ts";
import { Resources } from "../../../src/model/resources.ts";
import type { RunState } from "../../../src/ports/containers.ts";
import type { AgentMessage, MasterMessage } from "../../../src/wire/gen/mesarch/v1/agents.ts";
import { JournalRecord } from "../../../src/wire/gen/mesarch/v1/checkpoint.ts";
import { AgentInfo } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import type { World } from "./world.ts";

const RESOURCES = Resources.parse("cpus:4;mem:4096");
assert(RESOURCES.ok);
const TOTAL = RESOURCES.value;

export class Host {
  readonly world: World;
  readonly name: string;
  readonly runs = new Map<string, RunState>();
  /** How often each launch was started; more than once is what must never happen. */
  readonly started = new Map<string, number>();
  /** Ids of the tasks it started. */
  readonly tasks = new Set<string>();
  machine: AgentMachine | undefined;
  /** Cut off from all masters until then. */
  isolatedUntil = 0;
  #journal: Uint8Array[] = [];
  #epoch: Epoch = NO_EPOCH;
  #starts = 0;
  #session = 0;
  #toMaster: AgentMessage[] = [];
  #parts = new HeldParts();
  #toAgent: MasterMessage[] = [];

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    this.boot();
  }

  get connected(): boolean {
    return this.#session !== 0;
  }

  /** The agent process starts over what its predecessors left. */
  boot(): void {
    this.#starts += 1;
    this.machine = new AgentMachine({
      settings: {
        ...defaultAgentTimings,
        info: AgentInfo.fromPartial({ hostname: this.name, resources: TOTAL.toMesos() }),
        resources: TOTAL,
        address: `${this.name}:1`,
        ip: "10.0.0.1",
        bootId: "boot",
        incarnation: { starts: this.#starts, nonce: `${this.name}.${this.#starts}` },
      },
      random: seededRandom(this.name.charCodeAt(1) * 1000 + this.#starts),
      epoch: this.#epoch,
      records: this.#journal.map((bytes) => JournalRecord.decode(bytes)),
    });
    this.step({ kind: "started", runs: new Map(this.runs) });
  }

  /** The agent process dies; what it runs does not. */
  crash(): void {
    this.disconnect();
    this.machine = undefined;
  }

  connect(): void {
    if (this.machine === undefined || this.connected || this.isolatedUntil > this.world.now) return;
    this.#session = ++this.world.sessions;
    this.#parts.clear();
    this.step({ kind: "linkOpened", link: this.#session });
  }

  /** The stream breaks with all that is in it. */
  disconnect(isolatedMs = 0): void {
    this.isolatedUntil = Math.max(this.isolatedUntil, this.world.now + isolatedMs);
    const session = this.#session;
    if (session === 0) return;
    this.cut();
    this.world.step({ kind: "agentClosed", session });
  }

  /** The agent's half of a broken stream. */
  cut(): void {
    const link = this.#session;
    if (link === 0) return;
    this.#session = 0;
    this.#toMaster = [];
    this.#toAgent = [];
    if (this.machine !== undefined) this.step({ kind: "linkClosed", link });
  }

  hear(word: Output): void {
    if ((word.kind !== "agent" && word.kind !== "closeAgent") || word.session !== this.#session) return;
    if (word.kind === "agent") {
      if (word.message.body?.$case === "launch") this.world.schedulers.forEach((s) => s.ordered(word.message.body!));
      this.#toAgent.push(word.message);
    } else {
      this.disconnect();
    }
  }

  /** One message arrives somewhere. */
  deliver(): boolean {
    const [inbox, outbox] = [this.#toAgent, this.#toMaster];
    if (inbox.length > 0 && (outbox.length === 0 || this.world.chance(0.5))) {
      const { epoch } = this.world.machine.state;
      const batch = { clusterId: "c1", epoch: { ...epoch }, session: this.#session, messages: [inbox.shift()!] };
      this.step({ kind: "fromMaster", link: this.#session, batch });
      return true;
    }
    const message = outbox.shift();
    if (message === undefined) return false;
    if (message.body?.$case === "heldPart") this.#parts.add(message.body.value, 1);
    const input = inputOf(this.#session, message, this.#parts);
    if (input !== undefined) this.world.step(input);
    return true;
  }

  /** Something happens to one of the processes. */
  stir(): void {
    const [launchId, run] = this.world.pick([...this.runs]) ?? [];
    if (launchId === undefined || run === undefined) return;
    if (run.kind === "starting") this.#become(launchId, { kind: "running", pid: 1, monitored: true });
    else if (run.kind === "running" && this.world.chance(0.3)) this.end(launchId, false);
  }

  end(launchId: string, killed: boolean): void {
    this.#become(launchId, { kind: "exited", status: killed ? 143 : 0, killed, endedAtMs: 0 });
  }

  pass(): void {
    for (let next = this.machine?.nextDeadline(); next !== undefined && next <= this.world.now; next = this.machine?.nextDeadline()) {
      this.step({ kind: "deadline" });
    }
  }

  step(input: AgentInput): void {
    if (this.machine === undefined) return;
    const { writes, outputs } = this.machine.step(input, this.world.now, this.world.now + 1e6);
    for (const write of writes) {
      if (write.kind === "epoch") this.#epoch = write.epoch;
      else this.#journal.push(JournalRecord.encode(write.record).finish());
    }
    for (const output of outputs) this.#do(output);
  }

  #do(output: AgentOutput): void {
    switch (output.kind) {
      case "say":
        if (output.link === this.#session) this.#toMaster.push(output.message);
        return;
      case "closeLink":
        if (output.link === this.#session) this.disconnect();
        return;
      case "start":
        this.tasks.add(output.task.task!.taskId!.value!);
        return this.#start(output.task.launchId);
      case "cancel": {
        const won = !this.runs.has(output.launchId) || this.runs.get(output.launchId)!.kind === "cancelled";
        if (won) this.runs.set(output.launchId, { kind: "cancelled" });
        return this.step({ kind: "cancelled", launchId: output.launchId, won });
      }
      case "kill":
        if (this.runs.get(output.launchId)?.kind === "running") this.end(output.launchId, true);
        return;
      case "collect":
        this.runs.delete(output.launchId);
        return;
      case "alarm":
        this.world.alarms.push(output.message);
        return;
      case "leave":
        throw new Error(`agent ${this.name} left: ${output.message}`);
    }
  }

  /** The start mark is exclusive (monitor contract). */
  #start(launchId: string): void {
    if (this.runs.has(launchId)) return;
    this.started.set(launchId, (this.started.get(launchId) ?? 0) + 1);
    this.#become(launchId, { kind: "starting" });
  }

  #become(launchId: string, state: RunState): void {
    this.runs.set(launchId, state);
    this.step({ kind: "runChanged", launchId, state });
  }
}

function inputOf(session: number, { body }: AgentMessage, parts: HeldParts): Input | undefined {
  switch (body?.$case) {
    case "greeting":
      return { kind: "agentOpened", session, greeting: body.value };
    case "report":
      return { kind: "agentReport", session, report: parts.complete(body.value) };
    case "update":
      return { kind: "agentUpdate", session, update: body.value };
    case "forgotten":
      return { kind: "agentForgot", session, launchIds: body.value.launchIds };
    case "pong":
      return { kind: "agentPong", session, sequence: body.value.sequence };
    case "epochRefused":
      throw new Error("an agent refused the epoch of the only leader");
    default:
      return undefined;
  }
}
