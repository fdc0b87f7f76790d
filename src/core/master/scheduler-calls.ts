/** Every scheduler call but SUBSCRIBE: who may make it, in the order Mesos checks, and who handles it (Mesos 4 and 5). */
import { type Call, Call_Type as CallType } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import * as accept from "./accept.ts";
import { concernsAwaited } from "./awaited.ts";
import type { Input } from "./input.ts";
import * as kill from "./kill.ts";
import * as lifetime from "./framework-lifetime.ts";
import * as messages from "./messages.ts";
import * as offers from "./offers.ts";
import * as operations from "./operations.ts";
import * as reconcile from "./reconcile.ts";
import * as roles from "./role-calls.ts";
import type { FrameworkStream, MasterState } from "./state.ts";
import type { Tx } from "./tx.ts";
import { updateFramework } from "./update-framework.ts";
import * as updates from "./updates.ts";
import { callError } from "./validate-call.ts";

/** An outcome as an HTTP status; `message` is empty when all is well. */
export interface Answer {
  readonly code: number;
  readonly message: string;
}

const ACCEPTED: Answer = { code: 202, message: "" };
const TORN_DOWN: Answer = { code: 202, message: "" };

type CallInput = Extract<Input, { kind: "call" }>;

/** Handles a call and answers it; the answer waits until all the call wrote is durable. */
export function call(state: MasterState, tx: Tx, input: CallInput): void {
  const answer = answerTo(state, tx, input);
  if (tx.unfinished) return; // The last of its steps answers.
  tx.say({ kind: "reply", token: input.token, ...answer });
  // Last, since over gRPC the answer takes the same stream.
  if (answer === TORN_DOWN) tx.say({ kind: "closeScheduler", session: input.session });
}

/** Goes on with an ACCEPT. Its stream may have ended meanwhile, and its offers with it. */
export function acceptRest(state: MasterState, tx: Tx, input: Extract<Input, { kind: "acceptRest" }>): void {
  const stream = state.frameworkSessions.get(input.session);
  if (stream === undefined) return;
  const rest = accept.goOn(state, tx, stream, input.rest, input.traceparent);
  if (rest === undefined) tx.say({ kind: "reply", token: input.token, ...ACCEPTED });
  else tx.leave({ ...input, rest });
}

function answerTo(state: MasterState, tx: Tx, input: CallInput): Answer {
  const { call: asked } = input;
  if (asked.type === undefined || asked.type <= CallType.UNKNOWN) {
    return { code: 501, message: "Received a call of an unknown type" };
  }
  const malformed = callError(asked);
  if (malformed !== undefined) return { code: 400, message: malformed };
  if (state.mute) return { code: 503, message: "The registry does not answer at present" };
  const caller = callerOf(state, input);
  if ("code" in caller) return caller;
  if (state.readOnly !== "" && writes(asked)) return { code: 503, message: state.readOnly };
  if (state.nearlyFull !== "" && asked.accept !== undefined && accept.launchesAnything(asked.accept)) {
    return { code: 503, message: state.nearlyFull };
  }
  if (concernsAwaited(state, tx.now, caller, asked)) {
    return { code: 503, message: "After the restore of the registry, an agent that may have this task was not heard yet" };
  }
  return handle(state, tx, input, caller) ?? ACCEPTED;
}

/** Mesos 4.5: known, of this principal, subscribed, on this stream. */
function callerOf(state: MasterState, { call: asked, principal, session }: CallInput): FrameworkStream | Answer {
  const frameworkId = asked.frameworkId?.value ?? "";
  const record = state.tables.frameworks.get(frameworkId);
  if (record === undefined || record.standing?.$case === "removedAt") {
    return { code: 400, message: "Framework cannot be found" };
  }
  if (principal !== "" && principal !== record.principal) {
    const message = `Authenticated principal '${principal}' does not match the framework's principal`;
    return { code: 400, message };
  }
  const stream = state.frameworks.get(frameworkId);
  if (stream === undefined) return { code: 403, message: "Framework is not subscribed" };
  if (stream.session !== session) {
    return { code: 400, message: "The stream of this call is not the framework's present one" };
  }
  return stream;
}

/** Whether a call cannot do its work without a write (3.5). */
function writes(asked: Call): boolean {
  switch (asked.type) {
    case CallType.ACCEPT:
      return accept.launchesAnything(asked.accept!);
    case CallType.KILL:
    case CallType.SHUTDOWN:
    case CallType.TEARDOWN:
    case CallType.UPDATE_FRAMEWORK:
    case CallType.REVIVE:
    case CallType.SUPPRESS:
      return true;
    default:
      return false;
  }
}

function handle(state: MasterState, tx: Tx, input: CallInput, stream: FrameworkStream): Answer | undefined {
  const { call: asked } = input;
  switch (asked.type) {
    case CallType.SUBSCRIBE:
      return { code: 400, message: "SUBSCRIBE opens a stream of its own" };
    case CallType.TEARDOWN:
      lifetime.remove(state, tx, stream.frameworkId);
      return TORN_DOWN;
    case CallType.ACCEPT: {
      const { session, token, traceparent } = input;
      const rest = accept.accept(state, tx, stream, asked.accept!, traceparent);
      if (rest !== undefined) tx.leave({ kind: "acceptRest", session, token, traceparent, rest });
      return undefined;
    }
    case CallType.DECLINE: {
      const { offerIds, filters } = asked.decline!;
      offers.decline(state, stream, offerIds, filters?.refuseSeconds, tx.now);
      return undefined;
    }
    case CallType.REVIVE:
      roles.revive(state, tx, stream, asked.revive?.roles ?? []);
      return undefined;
    case CallType.SUPPRESS:
      roles.suppress(state, tx, stream, asked.suppress?.roles ?? []);
      return undefined;
    case CallType.KILL:
      kill.killCall(state, tx, stream, asked.kill!);
      return undefined;
    case CallType.SHUTDOWN:
      kill.shutdownCall(state, tx, stream, asked.shutdown!);
      return undefined;
    case CallType.ACKNOWLEDGE: {
      const { agentId, taskId, uuid } = asked.acknowledge!;
      updates.acknowledge(state, tx, {
        frameworkId: stream.frameworkId,
        agentId: agentId?.value ?? "",
        taskId: taskId?.value ?? "",
        uuid: uuid!,
      });
      return undefined;
    }
    case CallType.RECONCILE:
      reconcile.reconcile(state, tx, stream, asked.reconcile!);
      return undefined;
    case CallType.RECONCILE_OPERATIONS:
      operations.reconcile(tx, stream, asked.reconcileOperations!);
      return undefined;
    case CallType.MESSAGE:
      messages.toExecutor(state, tx, stream, asked.message!);
      return undefined;
    case CallType.UPDATE_FRAMEWORK:
      return updateFramework(state, tx, stream, asked.updateFramework!);
    // Accepted and without effect: there are no inverse offers and no operations, and requests are only hints.
    case CallType.ACCEPT_INVERSE_OFFERS:
    case CallType.DECLINE_INVERSE_OFFERS:
    case CallType.ACKNOWLEDGE_OPERATION_STATUS:
    case CallType.REQUEST:
      return undefined;
    default:
      return { code: 501, message: "Received a call of an unknown type" };
  }
}
