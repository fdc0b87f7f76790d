/** What processes of the simulation log: errors are complaints, everything else is silence. */
import type { Logger } from "../../src/telemetry/logger.ts";
import { telemetryOff } from "../../src/telemetry/off.ts";
import type { Telemetry } from "../../src/telemetry/telemetry.ts";
import type { Unrecorded } from "../history/event.ts";

/** Said by a correct process in a broken world. */
const EXPECTED = [/read-only: /, /the journal is /, /somebody else writes/];

export function silentTelemetry(name: string, write: (event: Unrecorded) => void, heard: (message: string) => void = () => {}): Telemetry {
  const line = (message: string): void => heard(message);
  const log: Logger = {
    level: "info",
    debug: () => {},
    info: line,
    warn: line,
    error: (message, fields) => {
      heard(message);
      if (EXPECTED.some((expected) => expected.test(message))) return;
      const error = fields?.error;
      const detail = error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(fields ?? {});
      write({ actor: name, kind: "observe", op: "complaint", value: { of: name, message: `${message}: ${detail}` } });
    },
    child: () => log,
  };
  return telemetryOff(log);
}
