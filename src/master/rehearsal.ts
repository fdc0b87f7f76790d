/**
 * A standby that has practised: plays leaderships on scratch tables, so that what the takeover path runs is compiled
 * before it is needed. The first steps of a process that never led took several milliseconds each; these take
 * fractions. Touches nothing outside this file.
 */
import type { Random } from "../base/random.ts";
import type { Input } from "../core/master/input.ts";
import { MasterMachine } from "../core/master/machine.ts";
import type { Output } from "../core/master/output.ts";
import { type MasterSettings } from "../core/master/settings.ts";
import { Pipeline } from "../core/pipeline.ts";
import { type Change, rowKey } from "../core/registry/change.ts";
import { Tables } from "../core/registry/tables.ts";
import { Digest } from "../model/digest.ts";
import { limits } from "../model/limits.ts";
import { Resources } from "../model/resources.ts";
import { AgentBatch, MasterBatch } from "../wire/gen/mesarch/v1/agents.ts";
import { SchedulerCalls, SchedulerEvents } from "../wire/gen/mesarch/v1/scheduler.ts";
import { TaskInfo, TaskState } from "../wire/gen/mesos/v1/mesos.ts";
import { Call, Call_Type } from "../wire/gen/mesos/v1/scheduler/scheduler.ts";
import { decodeRow, encodeChange, sizeOfChange } from "../wire/registry-codec.ts";

const AGENTS = 5;
const FRAMEWORK = { value: "rehearsal" };

/** Plays `rounds` leaderships, giving the event loop a turn after each. Stops when aborted. */
export async function rehearse(settings: MasterSettings, random: Random, rounds: number, signal: AbortSignal): Promise<void> {
  for (let round = 0; round < rounds && !signal.aborted; round += 1) {
    new Rehearsal(settings, random).play();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

class Rehearsal {
  readonly #tables = new Tables();
  readonly #pipeline = new Pipeline<Change, Output>({ rows: limits.batchRows, bytes: limits.batchBytes }, rowKey);
  readonly #machine: MasterMachine;
  readonly #said: Output[] = [];
  #now = 1_000;
  #token = 0;

  constructor(settings: MasterSettings, random: Random) {
    const clusterId = "rehearsal";
    this.#tables.apply({ kind: "meta", id: "", record: { clusterId, generation: 1, format: 1, lastEpochBefore: undefined } });
    const leadership = { generation: 1, revision: 1, clusterId, master: "m", address: "127.0.0.1:1", since: 1, electedAtMs: 0 };
    this.#machine = new MasterMachine({ leadership, settings, random, sizeOf: sizeOfChange, tables: this.#tables }, this.#now);
  }

  /** Agents come, a framework subscribes, a task lives on each agent's offer, everything is forgotten. */
  play(): void {
    for (let agent = 1; agent <= AGENTS; agent += 1) this.#greet(agent);
    this.#subscribe(100);
    for (let agent = 1; agent <= AGENTS; agent += 1) this.#report(agent);
    this.#due();
    this.#launchOnOffers();
    for (const { launchId, session, agentId, taskId } of this.#launches()) {
      this.#update(session, agentId, taskId, launchId, TaskState.TASK_RUNNING, 1);
      this.#update(session, agentId, taskId, launchId, TaskState.TASK_FINISHED, 2);
      this.#step({ kind: "agentForgot", session, launchIds: [launchId] });
    }
    this.#call({ type: Call_Type.RECONCILE, reconcile: { tasks: [] } });
    this.#due();
  }

  #step(input: Input): void {
    this.#now += 1;
    const step = this.#machine.step(input, this.#now);
    this.#pipeline.push(step.atoms, step.words);
    const batch = this.#pipeline.next();
    if (batch === undefined) return;
    for (const change of batch.writes) decodeRow(encodeChange(change));
    for (const word of this.#pipeline.settle()) this.#say(word);
  }

  #say(word: Output): void {
    this.#said.push(word);
    if (word.kind === "agent") {
      MasterBatch.decode(MasterBatch.encode({ clusterId: "", epoch: undefined, session: word.session, messages: [word.message] }).finish());
    } else if (word.kind === "event") {
      SchedulerEvents.decode(SchedulerEvents.encode({ items: [{ item: { $case: "event", value: word.event } }] }).finish());
    }
  }

  #due(): void {
    for (let due = this.#machine.nextDeadline(); due !== undefined && due <= this.#now; due = this.#machine.nextDeadline()) {
      this.#step({ kind: "deadline" });
    }
  }

  #greet(agent: number): void {
    const greeting = { protocol: 1, agentId: "", incarnation: incarnationOf(agent), clusterId: "", storedEpoch: undefined, address: "a:1" };
    this.#step({ kind: "agentOpened", session: agent, greeting });
  }

  #report(agent: number): void {
    const resources = Resources.parse("cpus:4;mem:4096;ports:[31000-32000]");
    const digest = new Digest();
    const report = {
      agentId: "",
      clusterId: "rehearsal",
      incarnation: incarnationOf(agent),
      info: { hostname: `a${agent}`, port: 1, resources: resources.ok ? resources.value.toMesos() : [], attributes: [] },
      address: `a${agent}:1`,
      registrationNonce: `n${agent}`,
      storedEpoch: undefined,
      tasks: { count: digest.count, sum: digest.sumText },
      listed: true,
      held: [],
    };
    const batch = { messages: [{ session: agent, body: { $case: "report" as const, value: report } }] };
    const [message] = AgentBatch.decode(AgentBatch.encode(batch).finish()).messages;
    if (message?.body?.$case === "report") this.#step({ kind: "agentReport", session: agent, report: message.body.value });
  }

  #subscribe(session: number): void {
    const frameworkInfo = { id: FRAMEWORK, user: "u", name: "n", roles: ["*"], failoverTimeout: 60, capabilities: [{ type: 6 as const }] };
    const call = Call.fromPartial({ type: Call_Type.SUBSCRIBE, frameworkId: FRAMEWORK, subscribe: { frameworkInfo } } as object);
    this.#step({ kind: "subscribe", session, principal: "", call });
  }

  #call(call: object): void {
    const whole = Call.fromPartial({ ...call, frameworkId: FRAMEWORK } as object);
    const numbered = { calls: [{ number: 1, call: whole, traceparent: "" }] };
    const [received] = SchedulerCalls.decode(SchedulerCalls.encode(numbered).finish()).calls;
    if (received?.call === undefined) return;
    this.#step({ kind: "call", session: 100, principal: "", call: received.call, token: (this.#token += 1), traceparent: "" });
  }

  #launchOnOffers(): void {
    const offers = this.#said.flatMap((word) => (word.kind === "event" ? (word.event.offers?.offers ?? []) : []));
    for (const offer of offers) {
      const taskInfo = TaskInfo.fromPartial({
        name: "t",
        taskId: { value: `t${(this.#token += 1)}` },
        agentId: offer.agentId,
        resources: [{ name: "cpus", type: 0, scalar: { value: 0.1 } }],
        command: { shell: true, value: "true" },
      } as object);
      const operations = [{ type: 1, launch: { taskInfos: [taskInfo] } }];
      this.#call({ type: Call_Type.ACCEPT, accept: { offerIds: [offer.id], operations, filters: { refuseSeconds: 5 } } });
    }
  }

  #launches(): { launchId: string; session: number; agentId: string; taskId: string }[] {
    return this.#said.flatMap((word) => {
      if (word.kind !== "agent" || word.message.body?.$case !== "launch") return [];
      const { launchId, task } = word.message.body.value;
      return [{ launchId, session: word.session, agentId: task?.agentId?.value ?? "", taskId: task?.taskId?.value ?? "" }];
    });
  }

  #update(session: number, agentId: string, taskId: string, launchId: string, state: TaskState, seq: number): void {
    const uuid = new Uint8Array(16).fill(seq);
    const status = { taskId: { value: taskId }, agentId: { value: agentId }, state, source: 1 as const, uuid, timestamp: 1 };
    this.#step({ kind: "agentUpdate", session, update: { launchId, seq, status, latestState: state, traceparent: "" } });
    this.#call({ type: Call_Type.ACKNOWLEDGE, acknowledge: { agentId: { value: agentId }, taskId: { value: taskId }, uuid } });
  }
}

function incarnationOf(agent: number): { starts: number; nonce: string } {
  return { starts: 1, nonce: `i${agent}` };
}
