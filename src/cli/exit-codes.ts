/** Exit codes are part of the interface: scripts rely on them. */
import { errorTable, MesarchError, toMesarchError } from "../base/errors.ts";
import { ConfigError } from "../config/compile.ts";
import { UsageError } from "../config/usage-error.ts";

export const EXIT_USAGE = 64;
export const EXIT_DRILL_MISSED = 6;
export const EXIT_INTERRUPTED = 130;

/** Thrown by a command to end with this exit code after it said everything. */
export class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

export const exitCodes: readonly (readonly [code: string, meaning: string])[] = [
  ["0", "done"],
  ["1", "failed"],
  ["2", "no master can be reached, or none leads"],
  ["3", "not found"],
  ["4", "refused: not allowed, or not valid"],
  ["5", "the cluster is not healthy (mesarch status)"],
  ["6", "a drill took longer than its objective (mesarch drill)"],
  ["64", "the command line or the configuration is wrong"],
  ["124", "no answer in time"],
  ["130", "interrupted (Ctrl-C)"],
  ["143", "asked to stop (SIGTERM)"],
  ["any", "mesarch run ends with the exit code of the task; 128 + n when it was ended by signal n"],
];

/** The exit code for something thrown. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError || error instanceof UsageError) return EXIT_USAGE;
  return errorTable[toMesarchError(error).code].exit;
}

/** What happened, why, and what to do next, one line each. */
export function explain(error: unknown, chain: readonly string[]): string {
  const [what, ...why] = chain;
  const remedy = error instanceof MesarchError ? error.remedy : undefined;
  return [`error: ${what}`, ...why.map((line) => `  because ${line}`), ...(remedy === undefined ? [] : [remedy])].join("\n");
}
