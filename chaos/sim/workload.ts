/** What a framework wants to run, what it knows of what it has, and so what it does next. */
import { isTerminal, stateName } from "../../src/model/task-state.ts";
import { TaskInfo, TaskState, Value_Type } from "../../src/wire/gen/mesos/v1/mesos.ts";
import type { Chance } from "./chance.ts";

export interface WorkloadPlan {
  readonly name: string;
  /** Tasks that are to run all the time. */
  readonly services: number;
  /** Tasks to be done, a few at a time. */
  readonly jobs: number;
  readonly jobMs: number;
}

export interface KnownTask {
  readonly id: string;
  readonly service: boolean;
  readonly agent: string;
  readonly info: TaskInfo;
  state: TaskState;
  killing: boolean;
  /** What became of its launch. Who does not know asks again, and must not get a second one. */
  launch: "asked" | "answered" | "unknown";
}

const JOBS_AT_A_TIME = 4;

export class Workload {
  readonly #plan: WorkloadPlan;
  readonly #chance: Chance;
  readonly #tasks = new Map<string, KnownTask>();
  #serial = 0;
  #jobsStarted = 0;

  constructor(plan: WorkloadPlan, chance: Chance) {
    this.#plan = plan;
    this.#chance = chance;
  }

  get(id: string): KnownTask | undefined {
    return this.#tasks.get(id);
  }

  get open(): readonly KnownTask[] {
    return [...this.#tasks.values()].filter(({ state }) => !isTerminal(state));
  }

  /** What can be killed. */
  get running(): readonly KnownTask[] {
    return [...this.#tasks.values()].filter(({ state, killing }) => state === TaskState.TASK_RUNNING && !killing);
  }

  /** A service that was replaced and came back, so that there is one too many. */
  get surplus(): KnownTask | undefined {
    const services = this.running.filter(({ service }) => service);
    return services.length > this.#plan.services ? services.at(-1) : undefined;
  }

  /** What is wanted and not there, in words; empty when all is. On agents that are `lost` nothing can be done. */
  wishes(lost: ReadonlySet<string>): string[] {
    const open = this.open.filter(({ service, state, agent }) => !(service && state === TaskState.TASK_RUNNING) && !isLost(state) && !lost.has(agent));
    const wishes = [...this.#missing()].filter(([, count]) => count > 0).map(([kind, count]) => `${count} ${kind} missing`);
    if (open.length > 0) wishes.push(`open: ${open.map(({ id, state }) => `${id} ${stateName(state)}`).join(", ")}`);
    return wishes;
  }

  /** What to launch on an agent with room for so many: first what may have been launched there already. */
  next(agent: string, room: number): KnownTask[] {
    const missing = this.#missing();
    const tasks = [...this.#tasks.values()].filter((task) => task.agent === agent && mayBeAskedForAgain(task)).slice(0, room);
    for (const [kind, count] of missing) {
      for (let i = 0; i < count && tasks.length < room; i += 1) tasks.push(this.#newTask(kind === "services", agent));
    }
    for (const task of tasks) task.launch = "asked";
    return tasks;
  }

  told(id: string, state: TaskState): void {
    const task = this.#tasks.get(id);
    // What is lost may come back, and then is one task more.
    if (task === undefined || (isTerminal(task.state) && !isLost(task.state))) return;
    const wasOver = isTerminal(task.state);
    // A launch that was given up and is not known to anybody never was.
    task.state = state === TaskState.TASK_UNKNOWN ? TaskState.TASK_DROPPED : state;
    // What never began is not done: a job is asked for anew, under another name.
    if (isTerminal(task.state) && !wasOver && !task.service && task.state !== TaskState.TASK_FINISHED && !task.killing) this.#jobsStarted -= 1;
  }

  #missing(): Map<"services" | "jobs", number> {
    const open = this.open.filter(({ state }) => !isLost(state));
    const services = this.#plan.services - open.filter(({ service }) => service).length;
    const atATime = JOBS_AT_A_TIME - open.filter(({ service }) => !service).length;
    const jobs = Math.max(0, Math.min(this.#plan.jobs - this.#jobsStarted, atATime));
    return new Map([["services", Math.max(0, services)], ["jobs", jobs]]);
  }

  #newTask(service: boolean, agent: string): KnownTask {
    if (!service) this.#jobsStarted += 1;
    const id = `${this.#plan.name}.${(this.#serial += 1)}`;
    const info = this.#info(id, service, agent);
    const task: KnownTask = { id, service, agent, info, state: TaskState.TASK_STAGING, killing: false, launch: "asked" };
    this.#tasks.set(id, task);
    return task;
  }

  #info(id: string, service: boolean, agent: string): TaskInfo {
    const scalar = (name: string, value: number): object => ({ name, type: Value_Type.SCALAR, scalar: { value } });
    const value = service ? "serve" : `run ${Math.round(this.#chance.between(0.5, 1.5) * this.#plan.jobMs)}`;
    return TaskInfo.fromPartial({
      name: id,
      taskId: { value: id },
      agentId: { value: agent },
      resources: [scalar("cpus", 0.5), scalar("mem", 64)],
      command: { shell: true, value },
    } as object);
  }
}

function mayBeAskedForAgain({ launch, state, killing }: KnownTask): boolean {
  return launch === "unknown" && !isTerminal(state) && !isLost(state) && !killing;
}

/** Replaced at once, though they may come back. */
function isLost(state: TaskState): boolean {
  return state === TaskState.TASK_UNREACHABLE || state === TaskState.TASK_LOST;
}
