/** Frameworks and their streams: who is subscribed, who was lost, and what each of them is told. */
import { Event_Type as EventType } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { FrameworkRecord } from "../../wire/gen/mesarch/v1/registry.ts";
import * as allocation from "./allocation.ts";
import { say } from "./framework-events.ts";
import { capabilitiesOf } from "./framework-info.ts";
import * as lifetime from "./framework-lifetime.ts";
import type { Input, SessionId } from "./input.ts";
import { masterInfo } from "./master-info.ts";
import * as notices from "./notices.ts";
import * as offers from "./offers.ts";
import * as reconcile from "./reconcile.ts";
import * as settled from "./settled.ts";
import type { FrameworkStream, MasterState } from "./state.ts";
import { admit } from "./subscription.ts";
import type { Tx } from "./tx.ts";
import * as updates from "./updates.ts";

/** SUBSCRIBE (10.1). The newer subscription of a framework ends the older one. */
export function subscribe(state: MasterState, tx: Tx, input: Extract<Input, { kind: "subscribe" }>): void {
  const { session } = input;
  if (state.frameworkSessions.has(session)) return;
  const admission = admit(state, tx, input);
  if (admission.kind === "refused") {
    endWithError(tx, session, admission.message);
    return;
  }
  // Read-only (3.5): a new framework cannot be written. Without an event, a client takes it as "try again".
  if (admission.kind === "unavailable") {
    tx.say({ kind: "closeScheduler", session });
    return;
  }
  const { frameworkId, record } = admission;
  const old = state.frameworks.get(frameworkId);
  if (old !== undefined) {
    disconnect(state, old, tx.now);
    endWithError(tx, old.session, "Framework failed over");
  }
  if (record !== state.tables.frameworks.get(frameworkId)) {
    tx.put({ kind: "f", id: frameworkId, record });
  }
  state.deadlines.clear(`framework/${frameworkId}`);
  const stream = connect(state, session, frameworkId, record, input.principal, tx.now);
  say(tx, session, {
    type: EventType.SUBSCRIBED,
    subscribed: {
      frameworkId: { value: frameworkId },
      heartbeatIntervalSeconds: state.settings.schedulerHeartbeatMs / 1000,
      masterInfo: masterInfo(state),
    },
  });
  say(tx, session, { type: EventType.HEARTBEAT });
  state.deadlines.setEarlier("heartbeat", tx.now + state.settings.schedulerHeartbeatMs);
  reconcile.tellStandings(state, tx, stream);
  updates.resendFor(state, tx, frameworkId);
  allocation.frameworkHere(state, frameworkId, record, tx.now);
  notices.framework(state, tx, frameworkId);
}

/** A scheduler's stream ended (10.5). Ends of streams that were replaced mean nothing any more. */
export function streamClosed(state: MasterState, tx: Tx, input: Extract<Input, { kind: "schedulerClosed" }>): void {
  const stream = state.frameworkSessions.get(input.session);
  if (stream === undefined) return;
  disconnect(state, stream, tx.now);
  allocation.frameworkAway(state, stream.frameworkId, tx.now);
  lifetime.lost(state, tx, stream.frameworkId, input.ours || state.mute);
  notices.framework(state, tx, stream.frameworkId);
}

/** The deadline `heartbeat`: one for all streams, so at most an interval passes between two on any of them. */
export function heartbeat(state: MasterState, tx: Tx): void {
  if (state.frameworks.size === 0) return;
  state.deadlines.set("heartbeat", tx.now + state.settings.schedulerHeartbeatMs);
  if (state.mute) return;
  for (const { session } of state.frameworks.values()) say(tx, session, { type: EventType.HEARTBEAT });
}

/** Takes changed info over into a framework's stream and the allocator (UPDATE_FRAMEWORK). */
export function infoChanged(state: MasterState, tx: Tx, stream: FrameworkStream, record: FrameworkRecord): void {
  const changed: FrameworkStream = { ...stream, capabilities: capabilitiesOf(record.info) };
  state.frameworks.set(stream.frameworkId, changed);
  state.frameworkSessions.set(stream.session, changed);
  allocation.frameworkHere(state, stream.frameworkId, record, tx.now);
  notices.framework(state, tx, stream.frameworkId);
}

function connect(
  state: MasterState,
  session: SessionId,
  frameworkId: string,
  record: FrameworkRecord,
  principal: string,
  since: number,
): FrameworkStream {
  const capabilities = capabilitiesOf(record.info);
  const stream: FrameworkStream = { session, frameworkId, principal, capabilities, offers: new Set(), since };
  state.frameworks.set(frameworkId, stream);
  state.frameworkSessions.set(session, stream);
  return stream;
}

/** Forgets a stream; its offers go without a word, and what was told on it last may be lost with it. */
function disconnect(state: MasterState, stream: FrameworkStream, now: number): void {
  offers.dropAll(state, stream, now);
  settled.untold(state, stream.frameworkId);
  state.frameworks.delete(stream.frameworkId);
  state.frameworkSessions.delete(stream.session);
}

function endWithError(tx: Tx, session: SessionId, message: string): void {
  say(tx, session, { type: EventType.ERROR, error: { message } });
  tx.say({ kind: "closeScheduler", session });
}
