/** Output of tasks, from agents that come and go, or do not answer. */
import { Metadata, status } from "@grpc/grpc-js";
import test from "ava";
import { OperatorClient, type LogOptions } from "../../src/sdk/index.ts";
import { Tasks } from "../../src/wire/gen/mesarch/v1/operator.ts";
import { eventually } from "../support/eventually.ts";
import { FakeAgent, say, type LogStream } from "../support/fake-agent.ts";
import { FakeMaster } from "../support/fake-master.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

interface World extends AsyncDisposable {
  readonly operator: OperatorClient;
  readonly agent: FakeAgent;
  read(options: LogOptions): Promise<string>;
}

/** A master who knows one task, and its agent. */
async function world(onRead: (stream: LogStream, attempt: number) => void, known: { finished?: boolean; port?: number } = {}): Promise<World> {
  const master = await FakeMaster.start("m1");
  master.lead(5);
  const agent = await FakeAgent.serve((stream) => onRead(stream, agent.requests.length));
  const agentAddress = known.port === undefined ? agent.address : `127.0.0.1:${known.port}`;
  const task = { record: { launchId: "l1", agentId: "a1" }, agentAddress, finished: known.finished ?? false };
  master.onOperator = () => ({ $case: "tasks", value: Tasks.fromPartial({ tasks: [task] }) });
  const operator = new OperatorClient({ masters: master.address });
  return {
    operator,
    agent,
    read: async (options) => {
      const parts: Uint8Array[] = [];
      for await (const { data } of operator.logs("t1", options)) parts.push(data);
      return Buffer.concat(parts).toString();
    },
    [Symbol.asyncDispose]: async () => {
      operator[Symbol.dispose]();
      await agent[Symbol.asyncDispose]();
      await master[Symbol.asyncDispose]();
    },
  };
}

const gone = (stream: LogStream): boolean => stream.emit("error", Object.assign(new Error("gone"), { code: status.UNAVAILABLE }));

test("logs go on where they were when the agent comes back", async (t) => {
  await using all = await world((stream, attempt) => {
    say(stream, attempt === 1 ? "hello " : "world", stream.request.offset);
    if (attempt === 1) gone(stream);
    else stream.end();
  });
  t.is(await all.read({ follow: true }), "hello world");
  t.deepEqual(all.agent.requests.map(({ offset, launchId }) => [offset, launchId]), [[0, "l1"], [6, "l1"]]);
});

test("an agent that takes the question and never answers is not waited for longer than said", async (t) => {
  await using all = await world(() => {});
  await t.throwsAsync(all.read({ timeoutMs: 1_000 }), { code: "timed_out", message: /at agent .*: no answer within 1000 ms/ });
  t.is(all.agent.requests.length, 1);
});

test("nor is one that stops in the middle", async (t) => {
  await using all = await world((stream) => say(stream, "hello", stream.request.offset));
  await t.throwsAsync(all.read({ timeoutMs: 100 }), { code: "timed_out" });
});

test("an agent that is away for less is waited for", async (t) => {
  await using all = await world((stream, attempt) => {
    if (attempt < 4) return gone(stream);
    say(stream, "hello", 0);
    stream.end();
  });
  t.is(await all.read({ timeoutMs: 20_000 }), "hello");
});

test("when following, an agent that does not answer is asked again, and a silent task is left alone", async (t) => {
  const silent = Promise.withResolvers<LogStream>();
  await using all = await world((stream, attempt) => {
    if (attempt < 3) return;
    stream.sendMetadata(new Metadata());
    silent.resolve(stream);
  });
  const reading = all.read({ follow: true, timeoutMs: 100 });
  const stream = await silent.promise;
  await new Promise((resolve) => setTimeout(resolve, 300));
  say(stream, "at last", 0);
  stream.end();
  t.is(await reading, "at last");
  t.is(all.agent.requests.length, 3);
});

test("when following a task that has ended, an agent that is gone is given up", async (t) => {
  await using all = await world(() => {}, { finished: true });
  all.agent.kill();
  await t.throwsAsync(all.read({ follow: true, timeoutMs: 100 }), { code: "unavailable" });
});

test("connections to agents are closed when nobody reads there", async (t) => {
  await using target = await FakeAgent.start(() => "hello");
  await using proxy = await TcpProxy.start(target.port);
  await using all = await world(() => {}, { port: proxy.port });
  const first = all.operator.logs("t1");
  await first.next();
  t.is(await all.read({}), "hello");
  t.is(proxy.connections, 1, "one for all readers, as long as there are any");
  await first.return(undefined);
  await eventually("the end of the connection", () => proxy.connections === 0);
  t.pass();
});
