/**
 * Tells the operators' event stream what changed. The shell adds the revision. While nobody listens no view is built:
 * on the takeover path there is one of these for every framework and agent.
 */
import type { LeaderRecord, TaskRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import type { MasterState } from "./state.ts";
import type { Tx } from "./tx.ts";
import * as view from "./view.ts";

export function task(state: MasterState, tx: Tx, record: TaskRecord): void {
  if (state.watched()) say(state, tx, { $case: "task", value: view.taskView(state.tables, record) });
}

export function agent(state: MasterState, tx: Tx, agentId: string): void {
  const record = state.tables.agents.get(agentId);
  if (record !== undefined && state.watched()) say(state, tx, { $case: "agent", value: view.agentView(state.tables, agentId, record, state) });
}

export function framework(state: MasterState, tx: Tx, frameworkId: string): void {
  const record = state.tables.frameworks.get(frameworkId);
  if (record === undefined || !state.watched()) return;
  say(state, tx, { $case: "framework", value: view.frameworkView(state.tables, frameworkId, record, state) });
}

export function leader(state: MasterState, tx: Tx, record: LeaderRecord): void {
  say(state, tx, { $case: "leader", value: record });
}

type Body = Extract<Parameters<Tx["say"]>[0], { kind: "notice" }>["event"]["event"];

function say(state: MasterState, tx: Tx, event: Body): void {
  tx.say({ kind: "notice", event: { epoch: state.epoch, revision: 0, event } });
}
