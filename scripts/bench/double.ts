/** The leading master and etcd's leader killed together, beside etcd's own election measured in the same way. */
import { setTimeout as delay } from "node:timers/promises";
import type { EtcdCluster } from "../../src/dev/etcd-cluster.ts";
import type { Benchmark } from "./benchmark.ts";
import { high, round, spread, summarize } from "./samples.ts";
import { AGENTS, TASKS, breakdown, details, milliseconds, openScene, repeat, takeover } from "./takeovers.ts";

const ROUNDS = 30;
const ALLOWED_MS = 500;
const ATTEMPT_MS = 100;
const ELECTION_TIMEOUT_MS = 30_000;

export const double: Benchmark = async (context) => {
  await using scene = await openScene(context);
  const { cluster } = scene;
  const elections: number[] = [];
  const done = await repeat(context, ROUNDS, async () => {
    const alone = await etcdLeader(cluster.etcd);
    const startedAt = performance.now();
    void cluster.etcd.kill(alone);
    elections.push((await firstWrite(cluster.etcd, alone)) - startedAt);
    await cluster.etcd.restart(alone);
    await cluster.whole(AGENTS);

    const member = await etcdLeader(cluster.etcd);
    return takeover(scene, {
      strike: (leader) => {
        leader.child.signal("SIGKILL");
        return cluster.etcd.kill(member);
      },
      repair: async (leader) => {
        await cluster.etcd.restart(member);
        await cluster.restart(leader);
      },
    });
  });
  const summary = summarize(done.map(({ running }) => running));
  const election = summarize(elections);
  return {
    report: { double_failover_ms: summary, etcd_election_ms: election, double_rounds: details(done), etcd_elections: elections.map(round) },
    lines: [
      {
        name: "double: master leader and etcd leader killed",
        value: milliseconds(done, "running"),
        goal: `${high(summary).name} ≤ etcd's own + ${ALLOWED_MS} = ${round(election.p99 + ALLOWED_MS)} ms`,
        met: summary.p99 <= election.p99 + ALLOWED_MS,
      },
      { name: "  etcd alone: kill until a write is answered", value: spread(election) },
      ...breakdown(done),
    ],
    conditions: [
      `double: ${done.length} rounds of each kind in turn, ${AGENTS} agents in one process, ${TASKS} running tasks, etcd heartbeat 50 ms, election 500 ms`,
    ],
  };
};

async function etcdLeader(etcd: EtcdCluster): Promise<number> {
  const deadline = performance.now() + ELECTION_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const leader = await etcd.leader();
    if (leader !== undefined) return leader;
    await delay(ATTEMPT_MS);
  }
  throw new Error("etcd has no leader");
}

/** Tries a write on each member but one, each attempt for a short time, until one is answered; resolves with the time. */
async function firstWrite(etcd: EtcdCluster, without: number): Promise<number> {
  const answered = new AbortController();
  const deadline = AbortSignal.timeout(ELECTION_TIMEOUT_MS);
  const attempt = async (endpoint: string): Promise<number> => {
    for (;;) {
      deadline.throwIfAborted();
      if (answered.signal.aborted) return Infinity;
      const response = await fetch(`${endpoint}/v3/kv/put`, {
        method: "POST",
        body: JSON.stringify({ key: Buffer.from("bench/written").toString("base64"), value: "" }),
        signal: AbortSignal.timeout(ATTEMPT_MS),
      }).catch(() => undefined);
      if (response?.ok === true) return performance.now();
      await delay(1);
    }
  };
  const at = await Promise.race(etcd.endpoints.filter((_, index) => index !== without).map(attempt));
  answered.abort();
  return at;
}
