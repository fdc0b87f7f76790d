/**
 * The present state of a master as metrics: read when they are collected, so that nothing is paid in between. What is
 * the cluster's is told by the leader alone, so that sums over masters are right.
 */
import { shownState } from "../core/master/standing.ts";
import type { AgentStream } from "../core/master/state.ts";
import { stateName } from "../model/task-state.ts";
import type { Instruments } from "../telemetry/instruments.ts";
import type { TaskState } from "../wire/gen/mesos/v1/mesos.ts";
import type { Follower } from "./follower.ts";
import type { LeaderLoop } from "./leader-loop.ts";

export interface GaugeSources {
  readonly follower: Follower;
  readonly leadership: () => LeaderLoop | undefined;
  /** Last revision the leader says it wrote; undefined while none is heard. */
  readonly leaderRevision: () => number | undefined;
}

/** Returns what ends it. */
export function observeMaster(instruments: Instruments, { follower, leadership, leaderRevision }: GaugeSources): () => void {
  const ends = [
    instruments.leaderStatus.observe((report) => report(leadership() === undefined ? 0 : 1)),
    instruments.epoch.observe((report) => {
      const epoch = leadership()?.epoch ?? follower.tables.head?.epoch;
      if (epoch !== undefined) report(epoch.revision);
    }),
    instruments.standbyLag.observe((report) => {
      const revision = leadership() === undefined ? leaderRevision() : undefined;
      // The leader's word may be older than what was folded since.
      if (revision !== undefined) report(Math.max(0, revision - follower.revision));
    }),
    instruments.mailboxDepth.observe((report) => {
      const loop = leadership();
      if (loop !== undefined) report(loop.mailboxDepth);
    }),
    instruments.offersOutstanding.observe((report) => {
      const loop = leadership();
      if (loop !== undefined) report(loop.machine.state.offers.size);
    }),
    ...observeCluster(instruments, leadership),
  ];
  return () => ends.forEach((end) => end());
}

function observeCluster(instruments: Instruments, leadership: () => LeaderLoop | undefined): (() => void)[] {
  return [
    instruments.agents.observe((report) => {
      const state = leadership()?.machine.state;
      if (state === undefined) return;
      const counts = { confirmed: 0, unconfirmed: 0, disconnected: 0, unreachable: 0 };
      for (const [id, { standing }] of state.tables.agents) {
        if (standing?.$case === "unreachableAt") counts.unreachable += 1;
        else if (standing?.$case === "in") counts[connection(state.agentStreams.get(id))] += 1;
      }
      for (const [each, count] of Object.entries(counts)) report(count, { state: each });
    }),
    instruments.tasks.observe((report) => {
      const tables = leadership()?.machine.state.tables;
      if (tables === undefined) return;
      const counts = new Map<TaskState, number>();
      for (const record of tables.tasks.values()) {
        const { state } = shownState(tables, record);
        counts.set(state, (counts.get(state) ?? 0) + 1);
      }
      for (const [state, count] of counts) report(count, { state: stateName(state) });
    }),
    instruments.frameworks.observe((report) => {
      const state = leadership()?.machine.state;
      if (state === undefined) return;
      const connected = state.frameworks.size;
      report(connected, { state: "connected" });
      report(state.tables.present.size - connected, { state: "disconnected" });
    }),
  ];
}

function connection(stream: AgentStream | undefined): "confirmed" | "unconfirmed" | "disconnected" {
  if (stream === undefined) return "disconnected";
  return stream.phase === "confirmed" ? "confirmed" : "unconfirmed";
}
