/** Operators that keep asking each master, leading or not, and one that follows the stream of events. */
import { setTimeout as delay } from "node:timers/promises";
import { credentials, Metadata } from "@grpc/grpc-js";
import { epochText } from "../../../src/base/epoch.ts";
import { stateName } from "../../../src/model/task-state.ts";
import { OperatorClient, type OperatorNews, type TaskStateName } from "../../../src/sdk/index.ts";
import { OperatorServiceClient, type AgentView, type OperatorEvent, type OperatorRequest, type OperatorResponse, type TaskView } from "../../../src/wire/gen/mesarch/v1/operator.ts";
import type { TaskState } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import type { Amounts, Unrecorded } from "../../history/event.ts";
import type { Recorder } from "../../history/recorder.ts";
import { amountsOf, newsOf } from "../../history/rows.ts";
import { monotonicMs } from "../monotonic.ts";

export interface PollerOptions {
  readonly masters: readonly { readonly name: string; readonly address: string }[];
  /** Names of the agents whose books are read. */
  readonly hosts: ReadonlySet<string>;
  readonly everyMs: number;
  /** What the history calls a revision of the store. */
  readonly inHistory: (revision: number) => number;
  readonly recorder: Recorder;
}

const PATIENCE_MS = 2_000;
/** More than any run has. */
const LIMIT = 100_000;

export class OperatorPoller {
  readonly #options: PollerOptions;
  readonly #clients: readonly { readonly name: string; readonly client: OperatorServiceClient }[];
  readonly #stop = new AbortController();
  #running: Promise<unknown> | undefined;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#clients = options.masters.map(({ name, address }) => ({
      name,
      client: new OperatorServiceClient(address, credentials.createInsecure(), {
        "grpc.initial_reconnect_backoff_ms": 100,
        "grpc.max_reconnect_backoff_ms": 500,
        "grpc.max_receive_message_length": -1,
        "grpc.enable_http_proxy": 0,
      }),
    }));
  }

  start(): void {
    this.#running = Promise.all([...this.#clients.map(({ name, client }) => this.#keepReading(name, client)), this.#follow()]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    for (const { client } of this.#clients) client.close();
  }

  /** One reading of each, for the end of a run. */
  async readAll(): Promise<void> {
    await Promise.all(this.#clients.map(({ name, client }) => this.#read(name, client)));
  }

  async #keepReading(name: string, client: OperatorServiceClient): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#read(name, client);
      await delay(this.#options.everyMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Whoever does not answer was not read. */
  async #read(name: string, client: OperatorServiceClient): Promise<void> {
    const startedAt = monotonicMs();
    const tasks = await ask(client, { $case: "listTasks", value: { frameworkId: "", agentId: "", finished: false, limit: LIMIT } });
    if (tasks?.answer?.$case === "tasks" && !tasks.answer.value.truncated) {
      this.#say(name, tasks, "read", { master: name, stale: tasks.stale, startedAt, tasks: shown(tasks.answer.value.tasks) });
    }
    if (tasks === undefined || tasks.stale) return;
    const agents = await ask(client, { $case: "listAgents", value: { after: undefined } });
    if (agents?.answer?.$case !== "agents" || agents.stale) return;
    const { hosts } = this.#options;
    const those = agents.answer.value.agents.filter(({ connected, record }) => connected && hosts.has(record?.info?.hostname ?? ""));
    for (const agent of those) this.#say(name, agents, "books", booksOf(agent));
  }

  #say(name: string, { epoch, revision }: OperatorResponse, op: "read" | "books", value: object): void {
    if (epoch === undefined) return;
    this.#options.recorder.record({ actor: `operator/${name}`, kind: "observe", op, epoch: epochText(epoch), revision: this.#options.inHistory(revision), value } as unknown as Unrecorded);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    using operator = new OperatorClient({ masters: this.#options.masters.map(({ address }) => address) });
    let stream = 0;
    try {
      for await (const item of operator.events({ snapshot: true, signal })) {
        if (item.type === "connected") stream += 1;
        else this.#note(item, `news-${stream}`);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #note(item: OperatorNews, stream: string): void {
    const told = newsOf(eventOf(item));
    if (told === undefined || !("epoch" in item)) return;
    // What is of a snapshot is not said on the wire.
    const value = { stream, snapshot: false, ...told };
    this.#options.recorder.record({ actor: "operator/news", kind: "observe", op: "news", epoch: epochText(item.epoch), revision: this.#options.inHistory(item.revision), value } as Unrecorded);
  }
}

/** As the master said it, before the client opened it. */
function eventOf(item: OperatorNews): OperatorEvent["event"] {
  if (item.type === "task") return { $case: "task", value: item.task };
  if (item.type === "agent") return { $case: "agent", value: item.agent };
  return item.type === "framework" ? { $case: "framework", value: item.framework } : undefined;
}

function shown(tasks: readonly TaskView[]): Record<string, TaskStateName> {
  return Object.fromEntries(tasks.filter(({ finished }) => !finished).map(({ record, shownState }) => [record?.info?.taskId?.value ?? "", nameOf(shownState)]));
}

/** What is free is not told: it is what is left, and none where more is used than there is. */
function booksOf({ id, total, used, offered }: AgentView) {
  const [all, taken, out] = [amountsOf(total), amountsOf(used), amountsOf(offered)];
  const free: Record<string, number> = {};
  for (const [name, amount] of Object.entries(all)) free[name] = Math.max(0, amount - (taken[name] ?? 0)) - (out[name] ?? 0);
  return { agent: id, total: all, used: taken, offered: out, free: free as Amounts };
}

function nameOf(state: number): TaskStateName {
  return stateName(state as TaskState) as TaskStateName;
}

function ask(client: OperatorServiceClient, call: NonNullable<OperatorRequest["call"]>): Promise<OperatorResponse | undefined> {
  return new Promise((resolve) => {
    client.call({ allowStale: true, call }, new Metadata(), { deadline: Date.now() + PATIENCE_MS }, (error, response) => resolve(error === null ? response : undefined));
  });
}
