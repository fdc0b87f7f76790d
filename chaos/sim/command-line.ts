/**
 * People at the command line: they give orders to whoever leads, and ask again until each is answered. What a restore
 * took back they order anew.
 */
import { epochText } from "../../src/base/epoch.ts";
import { OperatorRequest, OperatorResponse } from "../../src/wire/gen/mesarch/v1/operator.ts";
import { TaskRecord } from "../../src/wire/gen/mesarch/v1/registry.ts";
import type { CallValue, Unrecorded } from "../history/event.ts";
import type { AgentHost } from "./agents.ts";
import { Chance } from "./chance.ts";
import { doorOf } from "./masters.ts";
import type { Wire } from "./network.ts";
import { opened, type Refused } from "./operator-door.ts";
import type { Order } from "./orders.ts";
import type { SimStoreServer } from "./store.ts";
import { SimProcess } from "./virtual-time.ts";
import type { OperatorsWorld } from "./watchers.ts";

type OrderCall = "kill" | "markGone" | "teardown" | "setActive" | "setWeight";
type Outcome = "ok" | "fail" | "unknown";
type Request = NonNullable<OperatorRequest["call"]>;

/** What can be ordered about. */
export interface Subjects {
  readonly agents: readonly AgentHost[];
  readonly frameworks: readonly { readonly name: string }[];
  readonly server: SimStoreServer;
}

/** Between two attempts, in milliseconds. */
const PAUSE_MS = 500;
/** An order without an answer is asked again after this, of whoever leads then. */
const ATTEMPT_MS = 5_000;
/** After healing, what was held up on broken paths has arrived. */
const ARRIVED_MS = 2_000;
const GRACE_MS = 3_000;
const ROLES = ["*", "web", "batch"] as const;
const WEIGHTS = [1, 2, 0.5, 7.25] as const;

export class CommandLine {
  readonly #world: OperatorsWorld;
  readonly #subjects: Subjects;
  readonly #process: SimProcess;
  readonly #chance: Chance;
  /** What is to stay so, by what it is about: how it is ordered again. */
  readonly #lasting = new Map<string, () => void>();
  readonly #takenOut = new Set<string>();
  #healed = false;
  #calls = 0;

  constructor(world: OperatorsWorld, subjects: Subjects) {
    this.#world = world;
    this.#subjects = subjects;
    this.#process = new SimProcess(world.time, "operator/admin", "admin");
    this.#chance = new Chance(world.seed, "command line");
  }

  kill(): void {
    this.#process.kill();
  }

  give({ name, target, forMs }: Order): void {
    const { frameworks } = this.#subjects;
    if (name === "killTask") return this.#killTask(target);
    if (name === "setWeight") return this.#setWeight(ROLES[target % ROLES.length]!, WEIGHTS[Math.floor(target / ROLES.length) % WEIGHTS.length]!);
    if (name === "teardown") return this.#teardown(frameworks[target % frameworks.length]!.name);
    const agent = this.#agentOf(target);
    // Nobody knows it yet.
    if (agent === "") return;
    if (name === "markGone") this.#markGone(agent);
    else void this.#takeOut(agent, forMs);
  }

  /** The registry was set back: what it may have forgotten is ordered again. */
  askAgain(): void {
    for (const ask of [...this.#lasting.values()]) ask();
  }

  /** Whatever was taken out of service is to be back soon. */
  healed(): void {
    this.#healed = true;
    this.#process.clock.after(ARRIVED_MS, () => {
      for (const agent of this.#takenOut) void this.#setActive(agent, true);
    });
  }

  /** Half of the time one that is away, if any is. */
  #agentOf(target: number): string {
    const { agents } = this.#subjects;
    const away = agents.filter(({ process }) => process?.runs !== true);
    const those = target % 2 === 0 && away.length > 0 ? away : agents;
    return those[target % those.length]!.id;
  }

  #killTask(target: number): void {
    const rows = this.#subjects.server.rows().filter(({ key }) => key.startsWith("t/"));
    if (rows.length === 0) return;
    const { launchId, frameworkId: framework, info } = TaskRecord.decode(rows[target % rows.length]!.value);
    const task = info?.taskId?.value ?? "";
    void this.#ask("kill", { framework, task, graceMs: GRACE_MS }, { $case: "killTask", value: { id: target % 2 === 0 ? task : launchId, graceMs: GRACE_MS } });
  }

  #markGone(agent: string): void {
    this.#lastingly(`gone/${agent}`, () => this.#ask("markGone", { agent }, { $case: "markAgentGone", value: { agentId: agent } }));
  }

  #teardown(framework: string): void {
    this.#lastingly(`teardown/${framework}`, () => this.#ask("teardown", { framework }, { $case: "teardownFramework", value: { frameworkId: framework } }));
  }

  #setWeight(role: string, weight: number): void {
    this.#lastingly(`weight/${role}`, () => this.#ask("setWeight", { role, weight }, { $case: "setWeight", value: { role, weight } }));
  }

  async #takeOut(agent: string, forMs: number): Promise<void> {
    this.#takenOut.add(agent);
    await this.#setActive(agent, false);
    this.#process.clock.after(this.#healed ? 0 : forMs, () => void this.#setActive(agent, true));
  }

  #setActive(agent: string, active: boolean): Promise<void> {
    return this.#lastingly(`active/${agent}`, () => this.#ask("setActive", { agent, active }, { $case: "setAgentActive", value: { agentId: agent, active } }));
  }

  #lastingly<T>(about: string, ask: () => T): T {
    this.#lasting.set(about, ask);
    return ask();
  }

  /** What is in doubt is asked again, as a call of its own. */
  async #ask<K extends OrderCall>(op: K, value: CallValue<K>, call: Request): Promise<void> {
    while ((await this.#askOnce(op, value, call)) === "unknown") await this.#pause();
  }

  async #askOnce<K extends OrderCall>(op: K, value: CallValue<K>, call: Request): Promise<Outcome> {
    const number = (this.#calls += 1);
    const tell = (kind: "invoke" | Outcome, rest: object = {}): void => this.#world.write({ actor: "operator/admin", kind, op, call: number, value, ...rest } as unknown as Unrecorded);
    tell("invoke");
    const { outcome, ...rest } = told(await this.#answerTo(call));
    tell(outcome, rest);
    return outcome;
  }

  /** Of a master that leads; undefined: none came. Whoever does not lead has done nothing. */
  async #answerTo(call: Request): Promise<OperatorResponse | Refused | undefined> {
    const { network, masters } = this.#world;
    for (let hint = ""; ; await this.#pause()) {
      const wire = await network.connect(this.#process, doorOf(hint === "" ? this.#chance.pick(masters) : hint, "calls"));
      hint = "";
      if (wire === undefined) continue;
      const answer = await this.#send(wire, call);
      if (answer === undefined || !("code" in answer) || answer.code !== "no_leader") return answer;
      hint = answer.leader;
    }
  }

  #send(wire: Wire, call: Request): Promise<OperatorResponse | Refused | undefined> {
    return new Promise((resolve) => {
      const end = (answer?: OperatorResponse | Refused): void => {
        wire.close();
        resolve(answer);
      };
      wire.onMessage = (bytes) => {
        const answer = opened(bytes);
        end(answer instanceof Uint8Array ? OperatorResponse.decode(answer) : answer);
      };
      wire.onClose = () => end();
      this.#process.clock.after(ATTEMPT_MS, () => end());
      wire.send(OperatorRequest.encode({ allowStale: false, call }).finish());
    });
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#process.clock.after(this.#chance.between(0.5, 1.5) * PAUSE_MS, resolve));
  }
}

/** What an answer says of the order. A master that is not available may have begun with it. */
function told(answer: OperatorResponse | Refused | undefined): { readonly outcome: Outcome; readonly epoch?: string; readonly revision?: number; readonly error?: string } {
  if (answer === undefined) return { outcome: "unknown", error: "no answer" };
  if (!("code" in answer)) return { outcome: "ok", ...(answer.epoch !== undefined && { epoch: epochText(answer.epoch) }), revision: answer.revision };
  const { code, message } = answer;
  return { outcome: code === "unavailable" ? "unknown" : "fail", error: `${code}: ${message}` };
}
