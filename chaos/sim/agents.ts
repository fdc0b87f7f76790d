/** Agents: the product's own, over a simulated disk, host and network. A host's tasks and disk outlive its agents. */
import { Agent } from "../../src/agent/agent.ts";
import { type Epoch, epochText, NO_EPOCH } from "../../src/base/epoch.ts";
import { defaultAgentTimings } from "../../src/core/agent/settings.ts";
import { Resources } from "../../src/model/resources.ts";
import { stateName } from "../../src/model/task-state.ts";
import type { TaskStateName } from "../../src/sdk/index.ts";
import type { JournalRecord } from "../../src/wire/gen/mesarch/v1/checkpoint.ts";
import { AgentInfo, TaskState } from "../../src/wire/gen/mesos/v1/mesos.ts";
import type { Unrecorded } from "../history/event.ts";
import { Chance } from "./chance.ts";
import { SimContainers, SimHost } from "./containers.ts";
import { SimDisk } from "./disk.ts";
import { SimMasterDialer } from "./master-dialer.ts";
import type { Network } from "./network.ts";
import { silentTelemetry } from "./telemetry.ts";
import { SimProcess, type VirtualTime } from "./virtual-time.ts";

export interface AgentsWorld {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly network: Network;
  readonly masters: readonly string[];
  readonly write: (event: Unrecorded) => void;
  readonly syncMs: number;
}

/** A supervisor starts an agent that was sent away again after this. */
const RESTART_MS = 2_000;
/** How often somebody has seen by then why it ended, and set the host up anew. */
const SET_UP_ANEW = 0.7;

export class AgentHost {
  readonly name: string;
  readonly disk: SimDisk;
  readonly host: SimHost;
  readonly #world: AgentsWorld;
  readonly #resources: Resources;
  readonly #tasks = new Map<string, string>();
  readonly #chance: Chance;
  #process: SimProcess | undefined;
  #agent: Agent | undefined;
  #boots = 1;
  #starts = 0;
  /** Its agent was sent away for good, and not started since. */
  #sentAway = false;
  #cancelRestart = (): void => {};
  /** The epoch it has answered last, or had stored when it started. */
  #obeyed: Epoch = NO_EPOCH;

  constructor(world: AgentsWorld, name: string, resources: string) {
    const { seed, time, write, syncMs } = world;
    this.#world = world;
    this.name = name;
    this.disk = new SimDisk(time, new Chance(seed, `disk/${name}`), syncMs);
    this.host = new SimHost({ name, time, chance: new Chance(seed, `host/${name}`), write });
    this.#chance = new Chance(seed, `care/${name}`);
    const parsed = Resources.parse(resources);
    if (!parsed.ok) throw new Error(parsed.error);
    this.#resources = parsed.value;
  }

  get process(): SimProcess | undefined {
    return this.#process?.alive ? this.#process : undefined;
  }

  /** The registry's name for it; empty before it is known. */
  get id(): string {
    return this.#agent?.state.identity.agentId ?? "";
  }

  /** The agent process starts over what its predecessors left, or on a host that was set up anew after it was sent away. */
  start(): void {
    if (this.process !== undefined) return;
    this.#cancelRestart();
    if (this.#sentAway && this.#chance.happens(SET_UP_ANEW)) this.#setUpAnew();
    this.#sentAway = false;
    this.#starts += 1;
    const { seed, time, network, masters } = this.#world;
    const process = new SimProcess(time, `agent/${this.name}`, this.name);
    this.#process = process;
    const checkpoint = this.disk.open(process, (records) => this.#appended(records));
    this.#obeyed = checkpoint.epoch;
    const random = new Chance(seed, `agent/${this.name}/${this.#starts}`).random;
    this.#say("agentStarted", { agent: this.id || this.name, starts: checkpoint.starts });
    const containers = new SimContainers(this.host, process, time, (order, launch) => this.#say("agentOrdered", { agent: this.id || this.name, order, launch }, this.#epoch));
    void Agent.start(
      {
        ...defaultAgentTimings,
        info: AgentInfo.fromPartial({ hostname: this.name, port: 5051, resources: this.#resources.toMesos() }),
        resources: this.#resources,
        address: `${this.name}:6051`,
        ip: "10.0.0.1",
        bootId: `${this.name}.${this.#boots}`,
        incarnation: { starts: checkpoint.starts, nonce: random.hex(8) },
      },
      masters,
      {
        checkpoint,
        containers,
        sandboxes: { path: (launchId) => `/sandbox/${launchId}`, forgotten: async () => {} },
        dialer: new SimMasterDialer(network, process, (epoch) => {
          this.#obeyed = epoch;
          this.#say("agentObeys", { agent: this.id || this.name }, this.#epoch);
        }),
        clock: process.clock,
        random,
        telemetry: silentTelemetry(`agent/${this.name}`, this.#world.write),
      },
    ).then(
      (agent) => {
        if (!process.alive) return;
        this.#agent = agent;
        agent.done.then(
          () => process.alive && this.#ended(agent),
          (error: unknown) => {
            if (process.alive) this.#say("complaint", { of: `agent/${this.name}`, message: `ended: ${String(error)}` });
            this.kill();
          },
        );
      },
      (error: unknown) => process.alive && this.#say("complaint", { of: `agent/${this.name}`, message: `did not start: ${String(error)}` }),
    );
  }

  /** SIGKILL to the agent alone. */
  kill(): void {
    this.#cancelRestart();
    this.#process?.kill();
  }

  /** The host loses its power: everything on it ends, what was not synced is lost. */
  powerOff(): void {
    this.kill();
    this.host.reboot();
    this.#boots += 1;
  }

  #ended({ left }: Agent): void {
    this.kill();
    this.#sentAway = left?.reason === "gone";
    if (!this.#sentAway) return;
    this.#say("agentSentAway", { agent: this.id });
    this.#cancelRestart = this.#world.time.after(this.#chance.tailed(RESTART_MS), () => this.start());
  }

  /** With an empty work directory, so that what starts is another agent. */
  #setUpAnew(): void {
    this.#say("agentSetUp", { agent: this.id });
    this.disk.clear();
    this.host.clear();
    this.#agent = undefined;
  }

  get #epoch(): string {
    return epochText(this.#obeyed);
  }

  #appended(records: readonly JournalRecord[]): void {
    const agent = this.id || this.name;
    for (const { record } of records) {
      // Known by its id from here on.
      if (record?.$case === "identity" && record.value.agentId !== "") this.#say("agentObeys", { agent: record.value.agentId }, this.#epoch);
      else if (record?.$case === "accepted") this.#tasks.set(record.value.launchId, record.value.task?.taskId?.value ?? "");
      else if (record?.$case === "update") {
        const { launchId: launch, status } = record.value;
        const state = stateName(status?.state ?? TaskState.TASK_STAGING) as TaskStateName;
        this.#say("agentUpdate", { agent, launch, task: this.#tasks.get(launch) ?? "", state, uuid: hex(status?.uuid) });
      } else if (record?.$case === "acknowledged") {
        this.#say("agentAcknowledged", { agent, launch: record.value.launchId, uuid: hex(record.value.uuid) });
      } else if (record?.$case === "forgotten") this.#say("agentForgot", { agent, launch: record.value.launchId });
    }
  }

  #say(op: string, value: object, epoch?: string): void {
    this.#world.write({ actor: `agent/${this.name}`, kind: "observe", op, value, ...(epoch !== undefined && { epoch }) } as unknown as Unrecorded);
  }
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("hex");
}
