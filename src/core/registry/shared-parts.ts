/**
 * Tasks of one service differ by little more than their ids. Parts with equal content are held once, which leaves a
 * third of what rows take in memory. Rows are values, so nobody can tell.
 */
import type { TaskID, TaskInfo, TaskStatus } from "../../wire/gen/mesos/v1/mesos.ts";
import type { TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";

/** Different parts remembered; then they are forgotten all at once, and shared anew. Live rows keep what they have. */
const PARTS = 4_096;
/** Characters of a part's content; a larger one is rarely anybody else's. */
const PART_SIZE = 4_096;

export class SharedParts {
  readonly #strings = new Map<string, string>();
  readonly #parts = new Map<string, object>();
  /** The values of `#parts`: most rows that change are made of the row before. */
  #known = new WeakSet<object>();

  /** Strings and parts remembered now. */
  get size(): number {
    return this.#strings.size + this.#parts.size;
  }

  /** The same row, made of parts that other rows have too. */
  share(task: TaskRecord): TaskRecord {
    const uuid = task.uuid.length === 0 ? EMPTY : task.uuid;
    return {
      ...task,
      frameworkId: this.#string(task.frameworkId),
      agentId: this.#string(task.agentId),
      role: this.#string(task.role),
      uuid,
      info: task.info && this.#info(task.info),
      status: task.status && this.#status(task.status, task.info, uuid),
    };
  }

  #info(info: TaskInfo): TaskInfo {
    if (this.#known.has(info.resources)) return info;
    return {
      ...info,
      name: info.name === undefined ? undefined : this.#string(info.name),
      agentId: this.#part(info.agentId),
      resources: this.#part(info.resources),
      executor: this.#part(info.executor),
      command: this.#part(info.command),
      healthCheck: this.#part(info.healthCheck),
      container: this.#part(info.container),
      labels: this.#part(info.labels),
      discovery: this.#part(info.discovery),
      killPolicy: this.#part(info.killPolicy),
      check: this.#part(info.check),
      maxCompletionTime: this.#part(info.maxCompletionTime),
      limits: this.#part(info.limits),
    };
  }

  #status(status: TaskStatus, info: TaskInfo | undefined, uuid: Uint8Array): TaskStatus {
    return {
      ...status,
      taskId: isOnly(status.taskId, info?.taskId?.value) ? info?.taskId : status.taskId,
      agentId: this.#part(status.agentId),
      uuid: status.uuid && equal(status.uuid, uuid) ? uuid : status.uuid,
    };
  }

  #string(value: string): string {
    const known = this.#strings.get(value);
    if (known !== undefined) return known;
    if (this.#strings.size >= PARTS) this.#strings.clear();
    this.#strings.set(value, value);
    return value;
  }

  #part<T extends object | undefined>(value: T): T {
    if (value === undefined || this.#known.has(value)) return value;
    const content = JSON.stringify(value, distinct);
    if (content.length > PART_SIZE) return value;
    const known = this.#parts.get(content);
    if (known !== undefined) return known as T;
    if (this.#parts.size >= PARTS) {
      this.#parts.clear();
      this.#known = new WeakSet();
    }
    this.#parts.set(content, value);
    this.#known.add(value);
    return value;
  }
}

/** What has no form of its own in JSON: 64-bit integers, as in ranges and durations, and some numbers, each its own value. */
function distinct(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "number" || (Number.isFinite(value) && !Object.is(value, -0))) return value;
  return Object.is(value, -0) ? "-0" : String(value);
}

const EMPTY = new Uint8Array();

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** Nothing but this value: fields that a newer version put in are kept (13.1). */
function isOnly(id: TaskID | undefined, value: string | undefined): boolean {
  return id?.value === value && Object.keys(id?._unknownFields ?? {}).length === 0;
}
