/** The names of all events at run time, kept complete by the types. */
import type { CallName, ObservationName, Outcome } from "./event.ts";

const calls: Readonly<Record<CallName, true>> = {
  subscribe: true,
  launch: true,
  kill: true,
  acknowledge: true,
  reconcile: true,
  decline: true,
  teardown: true,
  markGone: true,
  setActive: true,
  setWeight: true,
};

const observations: Readonly<Record<ObservationName, true>> = {
  subscribed: true,
  disconnected: true,
  frameworkError: true,
  offer: true,
  rescind: true,
  update: true,
  agentStarted: true,
  agentObeys: true,
  agentSentAway: true,
  agentSetUp: true,
  agentOrdered: true,
  agentUpdate: true,
  agentAcknowledged: true,
  agentForgot: true,
  witnessStart: true,
  witnessBeat: true,
  witnessSignal: true,
  witnessExit: true,
  commit: true,
  foreign: true,
  candidates: true,
  restored: true,
  fenced: true,
  leads: true,
  leadsNoMore: true,
  read: true,
  news: true,
  books: true,
  process: true,
  hostStall: true,
  complaint: true,
  phase: true,
  wishes: true,
  leftover: true,
  recovery: true,
  mark: true,
};

const outcomes: Readonly<Record<Outcome, true>> = { invoke: true, ok: true, fail: true, unknown: true };

export const CALL_NAMES = Object.keys(calls) as readonly CallName[];

export function isCallName(name: unknown): name is CallName {
  return typeof name === "string" && Object.hasOwn(calls, name);
}

export function isObservationName(name: unknown): name is ObservationName {
  return typeof name === "string" && Object.hasOwn(observations, name);
}

export function isOutcome(kind: unknown): kind is Outcome {
  return typeof kind === "string" && Object.hasOwn(outcomes, kind);
}
