/**
 * Frameworks that meddle with what is another's, and know it well enough to do so at the worst moment: nothing may come
 * of it (I26).
 */
import { Offer_Operation_Type, TaskInfo, Value_Type } from "../../src/wire/gen/mesos/v1/mesos.ts";
import { Call_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { CallName, EventOf, Unrecorded } from "../history/event.ts";
import { amountsOf } from "./rows.ts";
import type { VirtualTime } from "./virtual-time.ts";

export const meddlingNames = ["killAnothers", "askForAnothers", "acknowledgeAnothers", "launchOnAnothers", "declineAnothers"] as const;
export type MeddlingName = (typeof meddlingNames)[number];

export interface Meddler {
  readonly name: string;
  /** Makes the call, if it is subscribed. `value` is what the history tells of it, `call` the message. */
  meddle(op: CallName, value: object, call: object): void;
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
  meddler.meddle("kill", { framework: meddler.name, task, graceMs: 0 }, { type: Call_Type.KILL, kill: { taskId: { value: task } } });
}

function ask(meddler: Meddler, { task }: Value<EventOf<"update">>): void {
  meddler.meddle("reconcile", { framework: meddler.name, tasks: [task] }, { type: Call_Type.RECONCILE, reconcile: { tasks: [{ taskId: { value: task } }] } });
}

function acknowledge(meddler: Meddler, { task, agent, uuid }: Value<EventOf<"agentUpdate">>): void {
  const call = { agentId: { value: agent }, taskId: { value: task }, uuid: Buffer.from(uuid, "hex") };
  meddler.meddle("acknowledge", { framework: meddler.name, agent, task, uuid }, { type: Call_Type.ACKNOWLEDGE, acknowledge: call });
}

function launch(meddler: Meddler, { offer, agent }: Value<EventOf<"offer">>, id: string): void {
  const info = TaskInfo.fromPartial({
    name: id,
    taskId: { value: id },
    agentId: { value: agent },
    resources: [{ name: "cpus", type: Value_Type.SCALAR, scalar: { value: 0.1 } }],
    command: { shell: true, value: "run 1000" },
  } as object);
  const accept = { offerIds: [{ value: offer }], operations: [{ type: Offer_Operation_Type.LAUNCH, launch: { taskInfos: [info] } }] };
  const value = { framework: meddler.name, offers: [offer], agent, tasks: [{ task: id, resources: amountsOf(info.resources) }] };
  meddler.meddle("launch", value, { type: Call_Type.ACCEPT, accept });
}

function decline(meddler: Meddler, { offer }: Value<EventOf<"offer">>): void {
  meddler.meddle("decline", { framework: meddler.name, offers: [offer] }, { type: Call_Type.DECLINE, decline: { offerIds: [{ value: offer }] } });
}

/** Tasks are named after their frameworks. */
function ownerOf(task: string): string {
  return task.slice(0, task.indexOf("."));
}
