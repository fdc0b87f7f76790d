/** A master behind its real gRPC door, over the in-memory store, and clients that say whatever they like. */
import { Client, type ClientDuplexStream, credentials, type ServiceError, status as Status } from "@grpc/grpc-js";
import { systemClock } from "../../src/async/clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { openMasterDoors } from "../../src/grpc/master-doors.ts";
import { GrpcPeerLinks } from "../../src/grpc/peer-links.ts";
import { Master } from "../../src/master/master.ts";
import { defaultMasterOptions, type MasterOptions } from "../../src/master/options.ts";
import type { RowWrite } from "../../src/ports/registry.ts";
import { TelemetryRecorder } from "../../src/telemetry/recorder.ts";
import { AgentBatch, AgentServiceService, type HeldTask, MasterBatch, type MasterMessage, type Report } from "../../src/wire/gen/mesarch/v1/agents.ts";
import { EventsRequest, OperatorEvents, OperatorRequest, OperatorResponse, OperatorServiceService } from "../../src/wire/gen/mesarch/v1/operator.ts";
import { SchedulerCalls, SchedulerEvents, type SchedulerItem, SchedulerServiceService } from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import { type TaskInfo, TaskState } from "../../src/wire/gen/mesos/v1/mesos.ts";
import { Call, Call_Type, type Event, Event_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { MemoryStore } from "../../chaos/twins/memory-store.ts";
import { MemoryStoreServer } from "../../chaos/twins/memory-store-server.ts";
import { eventually } from "../support/eventually.ts";

export class Rig implements AsyncDisposable {
  readonly server = new MemoryStoreServer();
  readonly store = new MemoryStore(this.server);
  readonly peers = new GrpcPeerLinks(systemClock);
  readonly telemetry = new TelemetryRecorder();
  readonly clients: { close(): void }[] = [];
  master!: Master;
  address = "";
  #closeDoor: () => void = () => {};
  #epoch = 0;

  /** `rows`: what an earlier leader left in the store. */
  static async start(options: Partial<MasterOptions> = {}, rows: readonly RowWrite[] = []): Promise<Rig> {
    const rig = new Rig();
    if (rows.length > 0) rig.server.apply(rows);
    const { peers } = rig;
    const door = await openMasterDoors({ listen: "127.0.0.1:0", peers, log: rig.telemetry.log, doors: () => rig.master });
    rig.#closeDoor = door.close;
    rig.address = `127.0.0.1:${door.port}`;
    rig.master = new Master(
      { ...defaultMasterOptions, name: "m1", address: rig.address, ...options },
      { store: rig.store, peers, clock: systemClock, random: seededRandom(1), telemetry: rig.telemetry },
    );
    rig.master.start();
    await until(() => rig.master.leading, "a leader");
    rig.#epoch = rig.epoch;
    return rig;
  }

  get epoch(): number {
    return this.master.views.view.epoch?.revision ?? 0;
  }

  rows(): Map<string, Uint8Array> {
    return new Map(this.server.rows().map(({ key, value }) => [key, value]));
  }

  /** What is wrong with the master, if anything: it must still lead as it did, and serve strangers. */
  async trouble(): Promise<string | undefined> {
    const bugs = this.telemetry.lines.filter(({ message }) => message.includes("bug"));
    if (bugs.length > 0) return `a bug: ${String((bugs[0]!.fields as { error?: unknown }).error)}`;
    if (!this.master.leading || this.epoch !== this.#epoch) return "the leadership ended";
    const stranger = new RawScheduler(this, `stranger-${this.clients.length}`);
    stranger.subscribe();
    await until(() => stranger.subscribed || stranger.ended, "a stranger's subscription");
    stranger.close();
    return stranger.subscribed ? undefined : `a stranger was not served: ${stranger.details}`;
  }

  /** A unary call to the operator's service, as bytes. */
  operate(request: Uint8Array): Promise<OperatorResponse | ServiceError> {
    const client = this.client();
    return new Promise((resolve) => {
      client.makeUnaryRequest(OperatorServiceService.call.path, asIs, OperatorResponse.decode, Buffer.from(request), (error, value) => resolve(error ?? value!));
    });
  }

  ask(call: OperatorRequest["call"]): Promise<OperatorResponse | ServiceError> {
    return this.operate(OperatorRequest.encode({ allowStale: false, call }).finish());
  }

  /** A subscription to the operators' events. */
  events(snapshot: boolean): { count: number; ended: boolean; details: string } {
    const seen = { count: 0, ended: false, details: "" };
    const request = EventsRequest.encode({ snapshot }).finish();
    const stream = this.client().makeServerStreamRequest(OperatorServiceService.events.path, asIs, OperatorEvents.decode, Buffer.from(request));
    stream.on("data", ({ events }) => (seen.count += events.length));
    stream.on("error", () => {});
    stream.on("status", ({ details }) => Object.assign(seen, { ended: true, details }));
    return seen;
  }

  client(): Client {
    const client = new Client(this.address, credentials.createInsecure(), {
      "grpc.max_send_message_length": -1,
      "grpc.max_receive_message_length": -1,
      "grpc.use_local_subchannel_pool": 1,
    });
    this.clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients) client.close();
    await this.master.stop();
    this.#closeDoor();
    await this.store[Symbol.asyncDispose]();
  }
}

class RawStream<In> {
  readonly stream: ClientDuplexStream<Buffer, In>;
  ended = false;
  code: Status | undefined;
  details = "";

  constructor(rig: Rig, path: string, decode: (bytes: Buffer) => In, onData: (message: In) => void) {
    this.stream = rig.client().makeBidiStreamRequest(path, asIs, decode);
    this.stream.on("data", onData);
    this.stream.on("error", () => {});
    this.stream.on("status", ({ code, details }) => {
      this.ended = true;
      this.code = code;
      this.details = details;
    });
  }

  raw(bytes: Uint8Array): void {
    if (!this.ended) this.stream.write(Buffer.from(bytes));
  }

  close(): void {
    this.stream.cancel();
  }
}

export class RawScheduler extends RawStream<SchedulerEvents> {
  readonly items: SchedulerItem[] = [];
  readonly id: string;
  #number = 0;

  constructor(rig: Rig, id: string) {
    const items: SchedulerItem[] = [];
    super(rig, SchedulerServiceService.session.path, SchedulerEvents.decode, (message) => void items.push(...message.items));
    this.items = items;
    this.id = id;
  }

  subscribe(info: object = {}): number {
    const id = { value: this.id };
    const frameworkInfo = { id, user: "root", name: this.id, roles: ["*"], failoverTimeout: 60, capabilities: [{ type: 6 }], ...info };
    return this.call({ type: Call_Type.SUBSCRIBE, frameworkId: id, subscribe: { frameworkInfo, suppressedRoles: [] } } as never);
  }

  /** Says a call and returns the number its reply will carry. */
  call(call: Partial<Call>): number {
    this.raw(this.encode(call));
    return this.#number;
  }

  encode(call: object): Uint8Array {
    this.#number += 1;
    return SchedulerCalls.encode({
      calls: [{ number: this.#number, call: Call.fromPartial({ frameworkId: { value: this.id }, ...call } as never), traceparent: "" }],
    }).finish();
  }

  events(type: Event_Type): Event[] {
    return this.items.flatMap(({ item }) => (item?.$case === "event" && item.value.type === type ? [item.value] : []));
  }

  get subscribed(): boolean {
    return this.events(Event_Type.SUBSCRIBED).length > 0;
  }

  get offers() {
    return this.events(Event_Type.OFFERS).flatMap(({ offers }) => offers?.offers ?? []);
  }

  get updates() {
    return this.events(Event_Type.UPDATE).flatMap(({ update }) => update?.status ?? []);
  }

  reply(number: number): { code: number; message: string } | undefined {
    for (const { item } of this.items) if (item?.$case === "reply" && item.value.number === number) return item.value;
    return undefined;
  }

  async answered(number: number): Promise<{ code: number; message: string }> {
    await until(() => this.reply(number) !== undefined, `an answer to call ${number}`);
    return this.reply(number)!;
  }

  /** The master has taken all that was said here, and what it had to say on that is here; or the stream has ended. */
  async caughtUp(): Promise<void> {
    const number = this.call({ type: Call_Type.MESSAGE, message: { agentId: { value: "nobody" }, executorId: { value: "e" }, data: Buffer.alloc(0) } });
    await until(() => this.ended || this.reply(number) !== undefined, "the last answer");
  }
}

type Body<K extends NonNullable<MasterMessage["body"]>["$case"]> = Extract<NonNullable<MasterMessage["body"]>, { $case: K }>["value"];

/** Registers truthfully unless told otherwise. */
export class RawAgent extends RawStream<MasterBatch> {
  readonly bodies: NonNullable<MasterMessage["body"]>[] = [];
  readonly incarnation: { starts: number; nonce: string };
  session = 0;
  agentId = "";
  held: HeldTask[] = [];
  report: Partial<Report> = {};
  /** Report by itself when led or asked for a list. */
  automatic = true;
  readonly #name: string;

  constructor(rig: Rig, name: string, incarnation = { starts: 1, nonce: `i-${name}` }) {
    super(rig, AgentServiceService.session.path, MasterBatch.decode, (batch) => this.#hear(batch));
    this.#name = name;
    this.incarnation = incarnation;
  }

  greet(agentId = ""): void {
    this.say({ $case: "greeting", value: { protocol: 1, agentId, incarnation: this.incarnation, clusterId: "", storedEpoch: undefined, address: "127.0.0.1:1" } }, 0);
  }

  say(body: object, session = this.session): void {
    this.raw(AgentBatch.encode(AgentBatch.fromPartial({ messages: [{ session, body }] } as never)).finish());
  }

  sayReport(): void {
    const scalar = (name: string, value: number) => ({ name, type: 0, scalar: { value } });
    this.say({
      $case: "report",
      value: {
        agentId: this.agentId,
        incarnation: this.incarnation,
        info: { hostname: this.#name, resources: [scalar("cpus", 8), scalar("mem", 4096)] },
        address: "127.0.0.1:1",
        registrationNonce: `n-${this.#name}`,
        listed: true,
        held: this.held,
        ...this.report,
      },
    });
  }

  said<K extends NonNullable<MasterMessage["body"]>["$case"]>($case: K): Body<K>[] {
    return this.bodies.flatMap((body) => (body.$case === $case ? [body.value as Body<K>] : []));
  }

  async confirmed(): Promise<void> {
    await until(() => this.agentId !== "", "a confirmation");
  }

  /** What the master makes of a report; or it has ended the stream. */
  async judged(): Promise<void> {
    await until(() => this.ended || this.said("confirm").length + this.said("refusal").length > 0, "a verdict");
  }

  /** As a scheduler's, for a confirmed agent: of a launch that nobody knows, any word is acknowledged. */
  async caughtUp(): Promise<void> {
    const launchId = `echo-${this.bodies.length}`;
    this.update(launchId, 1, { state: TaskState.TASK_RUNNING });
    await until(() => this.ended || this.acknowledged(launchId) > 0, "the last acknowledgement");
  }

  acknowledged(launchId: string): number {
    return this.said("acknowledge").filter((one) => one.launchId === launchId).length;
  }

  update(launchId: string, seq: number, status: object, latestState = 0): void {
    this.say({ $case: "update", value: { launchId, seq, status: { uuid: Buffer.alloc(16, seq), ...status }, latestState, traceparent: "" } });
  }

  #hear(batch: MasterBatch): void {
    for (const { body } of batch.messages) {
      if (body === undefined) continue;
      this.bodies.push(body);
      if (body.$case === "lead") this.session = batch.session;
      if (body.$case === "confirm") this.agentId = body.value.agentId;
      if (this.automatic && (body.$case === "lead" || body.$case === "listWanted")) this.sayReport();
    }
  }
}

export async function until(holds: () => boolean, what: string): Promise<void> {
  await eventually(what, holds, 100_000);
}

/** A framework with an offer of an agent. */
export async function pair(rig: Rig, name: string): Promise<{ scheduler: RawScheduler; agent: RawAgent }> {
  const agent = new RawAgent(rig, `agent-${name}`);
  agent.greet();
  await agent.confirmed();
  const scheduler = new RawScheduler(rig, name);
  scheduler.subscribe();
  await until(() => scheduler.offers.some(({ agentId }) => agentId?.value === agent.agentId), `offers for ${name}`);
  return { scheduler, agent };
}

export function task(taskId: string, agentId: string, more: object = {}): TaskInfo {
  const scalar = (name: string, value: number) => ({ name, type: 0, scalar: { value }, reservations: [] });
  return {
    name: "task",
    taskId: { value: taskId },
    agentId: { value: agentId },
    resources: [scalar("cpus", 0.1), scalar("mem", 16)],
    command: { value: "true", uris: [], arguments: [] },
    limits: {},
    ...more,
  } as TaskInfo;
}

export function accept(offerIds: readonly string[], tasks: readonly TaskInfo[], refuseSeconds = 0): Partial<Call> {
  return {
    type: Call_Type.ACCEPT,
    accept: { offerIds: offerIds.map((value) => ({ value })), operations: [{ type: 1, launch: { taskInfos: [...tasks] } }], filters: { refuseSeconds } },
  };
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
