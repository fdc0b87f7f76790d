/**
 * Preloaded into an agent, writes down what the agent makes durable and what it orders its containers to do, when it
 * happens: nobody outside could tell whether an update was in the journal before it was said. Changes nothing else.
 *
 * `CHAOS_BUILD`: URL of the folder with the agent's modules; `CHAOS_HISTORY`: begins the path to write to;
 * `CHAOS_ACTOR`: who this is.
 */
import { openSync, readdirSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { DirectoryCheckpoint } from "../../../src/checkpoint/checkpoint.ts";
import type { ProcessContainers } from "../../../src/containers/process-containers.ts";
import type { JournalRecord } from "../../../src/wire/gen/mesarch/v1/checkpoint.ts";
import { TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { readHistory } from "../../history/reader.ts";
import { monotonicMs } from "../monotonic.ts";

type Opened = Awaited<ReturnType<typeof DirectoryCheckpoint.open>>;

const { CHAOS_BUILD: build = "", CHAOS_HISTORY: history = "", CHAOS_ACTOR: actor = "" } = process.env;
const extension = build.includes("/dist/") ? "js" : "ts";
const load = async (module: string): Promise<Record<string, unknown>> => (await import(`${build}${module}.${extension}`)) as Record<string, unknown>;

const stateNames = new Map(Object.entries(TaskState).map(([name, value]) => [value as number, name]));

class Informant {
  readonly #file = openSync(`${history}.${Math.round(monotonicMs())}.jsonl`, "a");
  readonly #tasks = new Map<string, string>();
  /** What was told already, by this process or an earlier one: the journal repeats itself whenever it is written anew. */
  readonly #known = toldBefore();
  #agent = "";
  #epoch = "";
  #seq = 0;

  opened({ records, starts, epoch }: Opened): void {
    this.#epoch = text(epoch);
    for (const { record } of records) if (record?.$case === "identity") this.#agent = record.value.agentId;
    this.#say("agentStarted", { agent: this.#agent, starts });
    // An earlier process may have been killed between its write and its word of it.
    this.durable(records);
  }

  durable(records: readonly JournalRecord[]): void {
    for (const record of records) this.#take(record);
  }

  stored(epoch: { readonly generation: number; readonly revision: number }): void {
    this.#epoch = text(epoch);
    this.#say("agentObeys", { agent: this.#agent }, this.#epoch);
  }

  ordered(order: "launch" | "kill" | "cancel", launch: string): void {
    this.#say("agentOrdered", { agent: this.#agent, order, launch }, this.#epoch);
  }

  #take({ record }: JournalRecord): void {
    if (record === undefined) return;
    if (record.$case === "identity" && record.value.agentId !== "" && record.value.agentId !== this.#agent) {
      this.#agent = record.value.agentId;
      // Known by its id from here on.
      this.#say("agentObeys", { agent: this.#agent }, this.#epoch);
    }
    if (record.$case === "accepted") this.#tasks.set(record.value.launchId, record.value.task?.taskId?.value ?? "");
    const agent = this.#agent;
    if (record.$case === "update") {
      const { launchId: launch, status } = record.value;
      const state = stateNames.get(status?.state ?? TaskState.TASK_STAGING);
      this.#once(`update ${hex(status?.uuid)}`, "agentUpdate", { agent, launch, task: this.#tasks.get(launch) ?? "", state, uuid: hex(status?.uuid) });
    } else if (record.$case === "acknowledged") {
      const { launchId: launch, uuid } = record.value;
      this.#once(`acknowledged ${hex(uuid)}`, "agentAcknowledged", { agent, launch, uuid: hex(uuid) });
    } else if (record.$case === "forgotten") {
      this.#once(`forgotten ${record.value.launchId}`, "agentForgot", { agent, launch: record.value.launchId });
    }
  }

  #once(key: string, op: string, value: object): void {
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#say(op, value);
  }

  /** At once: the process may be killed at any moment. */
  #say(op: string, value: object, epoch?: string): void {
    this.#seq += 1;
    const event = { seq: this.#seq, t: monotonicMs(), actor, ...(epoch !== undefined && { epoch }), kind: "observe", op, value };
    writeSync(this.#file, `${JSON.stringify(event)}\n`);
  }
}

/** Keys of what earlier processes of this agent told. */
function toldBefore(): Set<string> {
  const keys = new Set<string>();
  const files = readdirSync(dirname(history)).filter((name) => name.startsWith(`${basename(history)}.`));
  for (const { op, value } of files.flatMap((name) => readHistory(join(dirname(history), name)))) {
    if (op === "agentUpdate") keys.add(`update ${value.uuid}`);
    else if (op === "agentAcknowledged") keys.add(`acknowledged ${value.uuid}`);
    else if (op === "agentForgot") keys.add(`forgotten ${value.launch}`);
  }
  return keys;
}

function text({ generation, revision }: { readonly generation: number; readonly revision: number }): string {
  return `${generation}-${revision}`;
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("hex");
}

const informant = new Informant();
const checkpoints = (await load("checkpoint/checkpoint"))["DirectoryCheckpoint"] as typeof DirectoryCheckpoint;
const containers = ((await load("containers/process-containers"))["ProcessContainers"] as typeof ProcessContainers).prototype;
const { open } = checkpoints;
const { append, rewrite, storeEpoch } = checkpoints.prototype;
const { start, kill, cancel } = containers;

checkpoints.open = async (...given) => {
  const opened = await open.apply(checkpoints, given);
  informant.opened(opened);
  return opened;
};
checkpoints.prototype.append = async function (records) {
  await append.call(this, records);
  informant.durable(records);
};
checkpoints.prototype.rewrite = async function (records) {
  await rewrite.call(this, records);
  informant.durable(records);
};
checkpoints.prototype.storeEpoch = async function (epoch) {
  await storeEpoch.call(this, epoch);
  informant.stored(epoch);
};
containers.start = async function (spec) {
  informant.ordered("launch", spec.launchId);
  await start.call(this, spec);
};
containers.kill = async function (launchId, graceMs) {
  informant.ordered("kill", launchId);
  await kill.call(this, launchId, graceMs);
};
containers.cancel = async function (launchId) {
  informant.ordered("cancel", launchId);
  return cancel.call(this, launchId);
};
