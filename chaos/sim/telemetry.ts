/** What processes of the simulation log: errors are complaints, rare branches are marks, everything else is silence. */
import type { Logger } from "../../src/telemetry/logger.ts";
import { telemetryOff } from "../../src/telemetry/off.ts";
import type { Telemetry } from "../../src/telemetry/telemetry.ts";
import type { Unrecorded } from "../history/event.ts";

/** Said by a correct process in a broken world. */
const EXPECTED = [/agents are away, more than a third/, /^read-only: /, /^mute: the store's space/, /^the journal is /, /^the leader sends this agent away \(gone\)/];

/** Branches that a campaign must reach, by the line that tells of them. */
export const loggedMarks: Readonly<Record<string, RegExp>> = {
  "mute leader": /^mute: the registry does not answer/,
  "mute leader is heard again": /^the registry answers again/,
  "read-only leader": /^read-only: /,
  "room in the store again": /^the store takes writes again/,
  "full store with a batch in doubt": /^mute: the store's space/,
  "handover with calls unanswered": /^handing over with calls still unanswered/,
  "handover of a leader that is cut off": /^handing over: a peer reaches/,
  "registry loaded again": /^the registry watch broke/,
  "fold too slow for a promotion": /^the fold did not catch up/,
  "candidate key left behind": /^the candidate key could not be deleted/,
  "lease expired": /^the lease of this master's candidate keys expired/,
  "too many agents away to give any up": /agents are away, more than a third/,
  "journal stalled": /^the journal is stalled/,
  "journal takes everything again": /^the journal takes everything again/,
};

export function silentTelemetry(name: string, write: (event: Unrecorded) => void, heard: (message: string) => void = () => {}): Telemetry {
  const mark = (of: string): void => write({ actor: name, kind: "observe", op: "mark", value: { name: of } });
  const line = (message: string): void => {
    heard(message);
    for (const of of Object.keys(loggedMarks)) if (loggedMarks[of]!.test(message)) mark(of);
  };
  const log: Logger = {
    level: "info",
    debug: () => {},
    info: line,
    warn: line,
    error: (message, fields) => {
      line(message);
      if (EXPECTED.some((expected) => expected.test(message))) return;
      const error = fields?.error;
      const detail = error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(fields ?? {});
      write({ actor: name, kind: "observe", op: "complaint", value: { of: name, message: `${message}: ${detail}` } });
    },
    child: () => log,
  };
  const off = telemetryOff(log);
  const fencedWrites = { add: () => write({ actor: name, kind: "observe", op: "fenced", value: { master: name } }) };
  const telemetry: Telemetry = { ...off, instruments: { ...off.instruments, fencedWrites }, withLog: () => telemetry };
  return telemetry;
}
