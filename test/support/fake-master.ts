/** A master made of a script: says what a test tells it to, and shows what it was told. */
import {
  Server,
  ServerCredentials,
  status,
  type Metadata,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { ClusterServiceService, LeaderView, type WatchRequest } from "../../src/wire/gen/mesarch/v1/cluster.ts";
import {
  OperatorResponse,
  OperatorServiceService,
  type EventsRequest,
  type OperatorEvents,
  type OperatorRequest,
} from "../../src/wire/gen/mesarch/v1/operator.ts";
import {
  SchedulerServiceService,
  type SchedulerCalls,
  type SchedulerEvents,
  type SchedulerItem,
} from "../../src/wire/gen/mesarch/v1/scheduler.ts";
import { Call_Type, Event, Event_Type, type Call, type DeepPartial } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { Arrivals } from "./arrivals.ts";

/** One scheduler stream, from the master's side. */
export class FakeSession {
  readonly master: FakeMaster;
  readonly #stream: ServerDuplexStream<SchedulerCalls, SchedulerEvents>;
  #isCut = false;

  constructor(master: FakeMaster, stream: ServerDuplexStream<SchedulerCalls, SchedulerEvents>) {
    this.master = master;
    this.#stream = stream;
  }

  send(...items: NonNullable<SchedulerItem["item"]>[]): void {
    if (!this.#isCut) this.#stream.write({ items: items.map((item) => ({ item })) });
  }

  event(event: DeepPartial<Event>): void {
    this.send({ $case: "event", value: Event.fromPartial(event as Event) });
  }

  subscribed(frameworkId: string): void {
    this.event({ type: Event_Type.SUBSCRIBED, subscribed: { frameworkId: { value: frameworkId }, heartbeatIntervalSeconds: 15 } });
  }

  reply(number: number, code: number, message = ""): void {
    this.send({ $case: "reply", value: { number, code, message, revision: 1 } });
  }

  /** Ends the stream as a lost connection does. */
  cut(): void {
    this.#isCut = true;
    this.#stream.emit("error", Object.assign(new Error("cut"), { code: status.UNAVAILABLE }));
  }

  end(): void {
    this.#stream.end();
  }
}

export interface FakeCall {
  readonly session: FakeSession;
  readonly number: number;
  /** "ACCEPT" */
  readonly kind: string;
  readonly call: Call;
  readonly traceparent: string;
  /** How many calls came in the same message. */
  readonly batch: number;
}

type OperatorHandler = (request: OperatorRequest, metadata: Metadata) => OperatorResponse["answer"] | { refuse: number; details: string };

const kinds = new Map(Object.entries(Call_Type).map(([name, value]) => [value as number, name]));

export class FakeMaster implements AsyncDisposable {
  readonly name: string;
  readonly sessions: FakeSession[] = [];
  /** Every scheduler call, in order of arrival. */
  readonly calls = new Arrivals<FakeCall>();
  readonly eventStreams = new Arrivals<{ request: EventsRequest; stream: ServerWritableStream<EventsRequest, OperatorEvents> }>();
  readonly operatorRequests: OperatorRequest[] = [];
  /** What to do with a call; default: `answer`. */
  onCall: (call: FakeCall) => void = (call) => this.answer(call);
  onOperator: OperatorHandler = () => ({ refuse: status.UNIMPLEMENTED, details: "not in the script" });
  #server = new Server();
  #port = 0;
  #view: LeaderView;
  readonly #watchers = new Set<ServerWritableStream<WatchRequest, LeaderView>>();

  constructor(name: string) {
    this.name = name;
    this.#view = LeaderView.fromPartial({ clusterId: "fake", master: name });
  }

  static async start(name: string): Promise<FakeMaster> {
    const master = new FakeMaster(name);
    await master.restart();
    return master;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Listens again, on the old port, after `kill`. */
  async restart(): Promise<void> {
    this.#server = new Server();
    this.#server.addService(ClusterServiceService, { watch: (call: ServerWritableStream<WatchRequest, LeaderView>) => this.#onWatch(call) });
    this.#server.addService(SchedulerServiceService, {
      session: (stream: ServerDuplexStream<SchedulerCalls, SchedulerEvents>) => this.#onSession(stream),
    });
    this.#server.addService(OperatorServiceService, {
      call: (call: ServerUnaryCall<OperatorRequest, OperatorResponse>, done: sendUnaryData<OperatorResponse>) =>
        this.#onOperator(call.request, call.metadata, done),
      events: (stream: ServerWritableStream<EventsRequest, OperatorEvents>) => {
        stream.on("error", () => {});
        this.eventStreams.push({ request: stream.request, stream });
      },
    });
    this.#port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${this.#port}`, ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
  }

  /** As SIGKILL: every connection breaks, the port refuses. */
  kill(): void {
    this.#watchers.clear();
    this.#server.forceShutdown();
  }

  lead(revision: number, generation = 1): void {
    this.#view = { ...this.#view, leading: true, leader: this.name, leaderAddress: this.address, epoch: { generation, revision } };
    this.#announce();
  }

  follow(leader: FakeMaster): void {
    const { epoch } = leader.#view;
    this.#view = { ...this.#view, leading: false, leader: leader.name, leaderAddress: leader.address, epoch };
    this.#announce();
  }

  /** It has stepped down and knows no successor. */
  stepDown(): void {
    this.#view = { ...this.#view, leading: false, leader: "", leaderAddress: "" };
    this.#announce();
  }

  /** Accepts a subscription, and any other call with 202. */
  answer({ session, call, number, kind }: FakeCall): void {
    if (kind === "SUBSCRIBE") session.subscribed(call.frameworkId?.value ?? "");
    else session.reply(number, 202);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
  }

  #announce(): void {
    for (const watcher of this.#watchers) watcher.write(this.#view);
  }

  #onWatch(stream: ServerWritableStream<WatchRequest, LeaderView>): void {
    stream.on("error", () => {});
    stream.on("cancelled", () => this.#watchers.delete(stream));
    this.#watchers.add(stream);
    stream.write(this.#view);
  }

  #onSession(stream: ServerDuplexStream<SchedulerCalls, SchedulerEvents>): void {
    const session = new FakeSession(this, stream);
    this.sessions.push(session);
    stream.on("error", () => {});
    stream.on("data", ({ calls }: SchedulerCalls) => {
      for (const { number, call, traceparent } of calls) {
        if (call === undefined) continue;
        const received = { session, number, kind: kinds.get(call.type ?? 0) ?? "?", call, traceparent, batch: calls.length };
        this.onCall(received);
        this.calls.push(received);
      }
    });
    stream.on("end", () => stream.end());
  }

  #onOperator(request: OperatorRequest, metadata: Metadata, done: sendUnaryData<OperatorResponse>): void {
    this.operatorRequests.push(request);
    const answer = this.onOperator(request, metadata);
    if (answer !== undefined && "refuse" in answer) return done({ code: answer.refuse, details: answer.details });
    done(null, { epoch: this.#view.epoch, revision: 1, stale: false, answer });
  }
}
