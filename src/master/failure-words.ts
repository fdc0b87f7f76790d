import type { Input } from "../core/master/input.ts";
import type { Output } from "../core/master/output.ts";

const FAILED = "internal error: the master failed over this call; nothing was done";
const FAILED_MIDWAY = "internal error: the master failed over this call; a part of it may have been done";

/** To whoever asked for what a machine failed over: not to be repeated to the next leader (3.9). */
export function failureWords(input: Input): Output[] {
  switch (input.kind) {
    case "call":
      return [{ kind: "reply", token: input.token, code: 500, message: FAILED }];
    case "acceptRest":
      return [{ kind: "reply", token: input.token, code: 500, message: FAILED_MIDWAY }];
    case "operator":
      return [{ kind: "operatorRefusal", token: input.token, code: "invalid", message: FAILED }];
    case "subscribe":
      return [
        { kind: "event", session: input.session, event: { type: 7 /* ERROR */, error: { message: FAILED } } },
        { kind: "closeScheduler", session: input.session },
      ];
    case "agentReport":
    case "agentUpdate":
    case "agentForgot":
      return [{ kind: "closeAgent", session: input.session, reason: FAILED }];
    default:
      return [];
  }
}
