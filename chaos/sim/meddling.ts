/**
 * Frameworks that meddle with what is another's, and know it well enough to do so at the worst moment: nothing may come
 * of it (I26).
 */
import { Offer, TaskInfo, TaskStatus, Value_Type } from "../../src/wire/gen/mesos/v1/mesos.ts";
import type { CallName, CallValue, EventOf, Unrecorded } from "../history/event.ts";
import { amountsOf } from "../history/rows.ts";
import type { Send } from "./schedulers.ts";
import type { VirtualTime } from "./virtual-time.ts";

export const meddlingNames = ["killAnothers", "askForAnothers", "acknowledgeAnothers", "launchOnAnothers", "declineAnothers"] as const;
export type MeddlingName = (typeof meddlingNames)[number];

export interface Meddler {
  readonly name: string;
  /** Makes the call, if it is subscribed. `value` is what the history tells of it. */
  meddle<K extends CallName>(op: K, value: CallValue<K>, send: Send): void;
}

/** What can be meddled with, as soon as the history tells of it. */
type Foreign = EventOf<"update"> | EventOf<"agentUpdate"> | EventOf<"offer">;

export class Meddling {
  readonly #time: VirtualTime;
  /** Who waits for a chance to do what. */
  readonly #waiting = new Map<MeddlingName, Meddler>();
  #serial = 0;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** At the next occasion. */
  plan(name: MeddlingName, meddler: Meddler): void {
    this.#waiting.set(name, meddler);
  }

  saw(event: Unrecorded): void {
    if (this.#waiting.size === 0 || event.kind !== "observe") return;
    if (event.op === "update" && event.value.state === "TASK_RUNNING") {
      this.#do("killAnothers", event.value.framework, (meddler) => kill(meddler, event.value));
      this.#do("askForAnothers", event.value.framework, (meddler) => ask(meddler, event.value));
    } else if (event.op === "agentUpdate") {
      this.#do("acknowledgeAnothers", ownerOf(event.value.task), (meddler) => acknowledge(meddler, event.value));
    } else if (event.op === "offer") {
      this.#do("launchOnAnothers", event.value.framework, (meddler) => launch(meddler, event.value, `${meddler.name}.meddled${(this.#serial += 1)}`));
      this.#do("declineAnothers", event.value.framework, (meddler) => decline(meddler, event.value));
    }
  }

  #do(name: MeddlingName, owner: string, deed: (meddler: Meddler) => void): void {
    const meddler = this.#waiting.get(name);
    if (meddler === undefined || meddler.name === owner) return;
    this.#waiting.delete(name);
    this.#time.after(0, () => deed(meddler));
  }
}

type Value<E extends Foreign> = E["value"];

function kill(meddler: Meddler, { task }: Value<EventOf<"update">>): void {
  meddler.meddle("kill", { framework: meddler.name, task, graceMs: 0 }, (client) => client.kill(task, undefined));
}

function ask(meddler: Meddler, { task }: Value<EventOf<"update">>): void {
  meddler.meddle("reconcile", { framework: meddler.name, tasks: [task] }, (client) => client.reconcile([task]));
}

function acknowledge(meddler: Meddler, { task, agent, uuid }: Value<EventOf<"agentUpdate">>): void {
  const status = TaskStatus.fromPartial({ agentId: { value: agent }, taskId: { value: task }, uuid: Buffer.from(uuid, "hex") });
  meddler.meddle("acknowledge", { framework: meddler.name, agent, task, uuid }, (client) => client.acknowledge(status));
}

function launch(meddler: Meddler, foreign: Value<EventOf<"offer">>, id: string): void {
  const { offer, agent } = foreign;
  const info = TaskInfo.fromPartial({
    name: id,
    taskId: { value: id },
    agentId: { value: agent },
    resources: [{ name: "cpus", type: Value_Type.SCALAR, scalar: { value: 0.1 } }],
    command: { shell: true, value: "run 1000" },
  } as object);
  const value = { framework: meddler.name, offers: [offer], agent, tasks: [{ task: id, resources: amountsOf(info.resources) }] };
  meddler.meddle("launch", value, (client) => client.launch(offerLike(foreign), [info]));
}

function decline(meddler: Meddler, foreign: Value<EventOf<"offer">>): void {
  meddler.meddle("decline", { framework: meddler.name, offers: [foreign.offer] }, (client) => client.decline(offerLike(foreign), 5));
}

function offerLike({ offer, agent }: Value<EventOf<"offer">>): Offer {
  return Offer.fromPartial({ id: { value: offer }, agentId: { value: agent } });
}

/** Tasks are named after their frameworks. */
function ownerOf(task: string): string {
  return task.slice(0, task.indexOf("."));
}
