/** What an operator sees of launches and failovers in a collector of traces. */
import test from "ava";
import { epochText } from "../../src/base/epoch.ts";
import { declarations } from "../../src/telemetry/instruments.ts";
import { failoverPhases, handoverPhases } from "../../src/telemetry/spans.ts";
import { formatTraceparent, parseTraceparent } from "../../src/telemetry/traceparent.ts";
import { eventually } from "../support/eventually.ts";
import { Collector, type ReceivedSpan } from "../telemetry/collector.ts";
import { ownCluster } from "./own-cluster.ts";
import { jobs, newIds, services } from "./traffic.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const FRAMEWORKS_SPAN = "b7ad6b7169203331";

function sendingTo(collector: Collector): Record<string, string> {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url("http/protobuf"), OTEL_METRICS_EXPORTER: "none", OTEL_BSP_SCHEDULE_DELAY: "100" };
}

function measuredBy(collector: Collector): Record<string, string> {
  return { ...sendingTo(collector), OTEL_METRICS_EXPORTER: "otlp", OTEL_METRIC_EXPORT_INTERVAL: "500" };
}

/** Measured only on bad days, which have tests of their own. */
const RARE = [declarations.fencedWrites.name];

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
  t.like(await cluster.agents[0]!.logged("launching a task"), { trace_id: TRACE_ID, span_id: accept.spanId, epoch: first });

  const { epoch } = cluster.operator.leader!;
  await cluster.kill(await cluster.leader());
  const next = epochText((await cluster.operator.nextLeader(epoch)).epoch);
  await jobs(cluster, scheduler, 1);
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

  // Only now: the failover's trace links to tasks that still run when it is told.
  cluster.witnesses.end(id);
  await scheduler.until(id, "TASK_FINISHED");
  const finished = await arrived(collector, "mesarch.status", inState("TASK_FINISHED", next));
  t.is(finished.parentSpanId, accept.spanId);
});

test.serial("metrics tell what the cluster is and does, and go on under the next leader; a handover is a trace", async (t) => {
  await using collector = await Collector.start();
  const cluster = await ownCluster(t, { masters: 2, agents: 1, etcd: { members: 1 }, env: measuredBy(collector) });
  await using scheduler = await cluster.scheduler();
  const ids = await services(cluster, scheduler, 3);
  const leader = await cluster.leader();
  const standby = cluster.masters.find((each) => each !== leader)!;
  const [agent] = cluster.agents;
  type Expected = readonly (readonly [process: string, metric: keyof typeof declarations, value: number | undefined, attributes?: Record<string, string>])[];
  const shown = (expected: Expected): boolean =>
    expected.every(([process, metric, value, attributes]) => collector.latest(process, declarations[metric].name, attributes) === value);
  const settled = (what: string, expected: Expected) => eventually(what, () => shown(expected));
  const ofCluster = (name: string): Expected => [
    [name, "leaderStatus", 1],
    [name, "mailboxDepth", 0],
    [name, "agents", 1, { state: "confirmed" }],
    [name, "agents", 0, { state: "unreachable" }],
    [name, "tasks", ids.length, { state: "TASK_RUNNING" }],
    [name, "frameworks", 1, { state: "connected" }],
  ];
  const { epoch } = cluster.operator.leader!;
  await settled("the metrics of a running cluster", [
    ...ofCluster(leader.name),
    [leader.name, "epoch", epoch.revision],
    [leader.name, "launches", ids.length],
    [leader.name, "failovers", 1, { cause: "bootstrap" }],
    [standby.name, "leaderStatus", 0],
    [standby.name, "epoch", epoch.revision],
    [standby.name, "standbyLag", 0],
    [standby.name, "tasks", undefined],
    [agent!.name, "epoch", epoch.revision],
    [agent!.name, "taskUpdates", ids.length, { state: "TASK_RUNNING" }],
    [agent!.name, "taskStartDuration", ids.length],
  ]);
  t.is(typeof collector.latest(leader.name, declarations.offersOutstanding.name), "number");
  t.true(collector.latest(leader.name, declarations.commitDuration.name, { outcome: "committed" })! > 0);
  t.true(collector.latest(leader.name, declarations.batchRows.name)! > 0);

  leader.kill("SIGTERM");
  const next = await cluster.operator.nextLeader(epoch);
  await leader.exited;
  await settled("the metrics of the next leader", [
    ...ofCluster(standby.name),
    [standby.name, "epoch", next.epoch.revision],
    [standby.name, "failovers", 1, { cause: "handover" }],
    [standby.name, "failoverDuration", 1, { phase: "elected" }],
    [agent!.name, "epoch", next.epoch.revision],
  ]);
  const handover = await arrived(collector, "mesarch.handover");
  t.like(handover.attributes, { "mesarch.handover.order": "stop", "mesarch.epoch": epochText(epoch), "mesarch.master.id": leader.name });
  for (const phase of handoverPhases) t.is((await arrived(collector, `mesarch.handover.${phase}`)).parentSpanId, handover.spanId);

  const names = new Set(collector.metrics.map(({ name }) => name));
  const unseen = Object.values(declarations).map(({ name }) => name).filter((name) => !names.has(name));
  t.deepEqual(unseen, RARE);
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
