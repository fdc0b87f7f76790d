/** What an operator sees of launches and failovers in a collector of traces. */
import test from "ava";
import { epochText } from "../../src/base/epoch.ts";
import { failoverPhases } from "../../src/telemetry/spans.ts";
import { formatTraceparent, parseTraceparent } from "../../src/telemetry/traceparent.ts";
import { eventually } from "../support/eventually.ts";
import { Collector, type ReceivedSpan } from "../telemetry/collector.ts";
import { ownCluster } from "./own-cluster.ts";
import { jobs, newIds } from "./traffic.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const FRAMEWORKS_SPAN = "b7ad6b7169203331";

function sendingTo(collector: Collector): Record<string, string> {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url("http/protobuf"), OTEL_METRICS_EXPORTER: "none", OTEL_BSP_SCHEDULE_DELAY: "100" };
}

/** Resolves with the span once it has arrived. */
async function arrived(collector: Collector, name: string, matches: (span: ReceivedSpan) => boolean = () => true): Promise<ReceivedSpan> {
  return eventually(`span ${name}`, () => collector.spans.find((span) => span.name === name && matches(span)));
}

test.serial("a launch is one trace from the framework to its process, and goes on under the next leader; a failover is another (D15)", async (t) => {
  await using collector = await Collector.start();
  const cluster = await ownCluster(t, { agents: 1, etcd: { members: 1 }, env: sendingTo(collector) });
  await using scheduler = await cluster.scheduler();
  const [id] = newIds("traced", 1) as [string];
  const traceparent = formatTraceparent({ traceId: TRACE_ID, spanId: FRAMEWORKS_SPAN, sampled: true });
  await scheduler.launch([cluster.witnesses.task(id)], { traceparent });
  await scheduler.until(id, "TASK_RUNNING");
  await cluster.witnesses.started([id]);

  const ofLaunch = (span: ReceivedSpan): boolean => span.traceId === TRACE_ID;
  const inState = (state: string, epoch: string) => (span: ReceivedSpan): boolean =>
    ofLaunch(span) && span.attributes["mesos.task.state"] === state && span.attributes["mesarch.epoch"] === epoch;
  const first = epochText(cluster.operator.leader!.epoch);
  const call = await arrived(collector, "mesarch.call ACCEPT", ofLaunch);
  const accept = await arrived(collector, "mesarch.accept", ofLaunch);
  const launch = await arrived(collector, "mesarch.agent.launch", ofLaunch);
  const start = await arrived(collector, "mesarch.task.start", ofLaunch);
  const parents = [
    [call.parentSpanId, FRAMEWORKS_SPAN],
    [accept.parentSpanId, call.spanId],
    [(await arrived(collector, "mesarch.commit", ofLaunch)).parentSpanId, accept.spanId],
    [launch.parentSpanId, accept.spanId],
    [start.parentSpanId, launch.spanId],
    [(await arrived(collector, "mesarch.status", inState("TASK_RUNNING", first))).parentSpanId, accept.spanId],
  ];
  for (const [actual, expected] of parents) t.is(actual, expected);
  t.like(parseTraceparent(cluster.witnesses.starts(id)[0]!.traceparent), { traceId: TRACE_ID, spanId: start.spanId });

  const { epoch } = cluster.operator.leader!;
  await cluster.kill(await cluster.leader());
  const next = epochText((await cluster.operator.nextLeader(epoch)).epoch);
  await jobs(cluster, scheduler, 1);
  cluster.witnesses.end(id);
  await scheduler.until(id, "TASK_FINISHED");
  const finished = await arrived(collector, "mesarch.status", inState("TASK_FINISHED", next));
  t.is(finished.parentSpanId, accept.spanId);

  const isNext = (span: ReceivedSpan): boolean => span.attributes["mesarch.epoch"] === next;
  const failover = await arrived(collector, "mesarch.failover", isNext);
  t.like(failover.attributes, { "mesarch.failover.cause": "crash" });
  t.deepEqual(failover.links?.map(({ traceId, spanId }) => ({ traceId, spanId })), [{ traceId: TRACE_ID, spanId: accept.spanId }]);
  for (const phase of failoverPhases) {
    const span = await arrived(collector, `mesarch.failover.${phase}`, isNext);
    t.like(span, { traceId: failover.traceId, parentSpanId: failover.spanId });
    t.true(BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano), phase);
  }
  const [record] = await cluster.operator.leaderHistory({ limit: 1 });
  t.is(parseTraceparent(record!.traceparent)?.traceId, failover.traceId);
});

test.serial("a collector that is away harms nothing but the traces", async (t) => {
  const gone = await Collector.start();
  const env = sendingTo(gone);
  await gone[Symbol.asyncDispose]();
  const cluster = await ownCluster(t, { masters: 2, agents: 1, etcd: { members: 1 }, env });
  await using scheduler = await cluster.scheduler();
  const ids = await jobs(cluster, scheduler, 4);
  await cluster.kill(await cluster.leader());
  ids.push(...(await jobs(cluster, scheduler, 4)));
  await scheduler.untilAll(ids, "TASK_FINISHED");
  const [agent] = cluster.agents;
  await agent!.logged("telemetry could not be exported");
  t.deepEqual(scheduler.failedCalls, []);
});
