/**
 * Tasks that keep their own evidence, outside every book of the cluster: a line for each start, for each signal, and
 * heartbeats. What truly ran is read from there, and from the processes.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRunning, type ProcessIdentity } from "../../src/containers/process-identity.ts";
import { commandTask, type CommandTaskOptions, type TaskInfo } from "../../src/sdk/index.ts";
import { eventually } from "./eventually.ts";

/** `$1` of the trap: what it does on TERM. Ends with the number a test writes. */
const program = (onTerm: string): string =>
  [
    'echo "$$ $(cut -d" " -f22 /proc/$$/stat) ${TRACEPARENT:--}" >> "$EVIDENCE.starts"',
    `trap 'echo TERM >> "$EVIDENCE.signals"${onTerm}' TERM HUP INT`,
    'until [ -s "$EVIDENCE.end" ]; do echo >> "$EVIDENCE.beats"; sleep 0.2; done',
    'exit "$(cat "$EVIDENCE.end")"',
  ].join("; ");

export interface WitnessOptions extends Omit<CommandTaskOptions, "id" | "command" | "env"> {
  /** TERM does not end it. */
  readonly stubborn?: boolean;
}

export interface Start extends ProcessIdentity {
  readonly traceparent: string;
}

export class Witnesses {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  task(id: string, { stubborn = false, ...options }: WitnessOptions = {}): TaskInfo {
    return commandTask({ name: "witness", cpus: 0.05, mem: 16, ...options, id, command: program(stubborn ? "" : "; exit 143"), env: { EVIDENCE: this.#file(id) } });
  }

  /** One for each time it was started, by its own account. */
  starts(id: string): Start[] {
    return this.#lines(id, "starts").map((line) => {
      const [pid, startTime, traceparent] = line.split(" ") as [string, string, string];
      return { pid: Number(pid), startTime, traceparent };
    });
  }

  signals(id: string): number {
    return this.#lines(id, "signals").length;
  }

  beats(id: string): number {
    return this.#lines(id, "beats").length;
  }

  /** By the processes themselves, whatever a master believes. */
  runs(id: string): boolean {
    return this.starts(id).some(isRunning);
  }

  /** Makes the file that some task waits for. */
  touch(path: string): void {
    writeFileSync(path, "");
  }

  /** Lets it end with this exit code. */
  end(id: string, code = 0): void {
    writeFileSync(`${this.#file(id)}.end`, `${code}\n`);
  }

  /** What happened to running ones that should have noticed nothing (I8, I9). Waits for a heartbeat of each. */
  async disturbed(ids: readonly string[]): Promise<string[]> {
    const before = ids.map((id) => this.beats(id));
    const complaints = await Promise.all(
      ids.map(async (id, index) => {
        const starts = this.starts(id).length;
        if (starts !== 1) return `${id} was started ${starts} times`;
        if (this.signals(id) > 0) return `${id} was signalled`;
        if (!this.runs(id)) return `${id} does not run`;
        return eventually(`a heartbeat of ${id}`, () => this.beats(id) > before[index]!, 5_000).then(() => undefined, String);
      }),
    );
    return complaints.filter((complaint) => complaint !== undefined);
  }

  /** Resolves when none of them runs any more. */
  async ended(ids: readonly string[], timeoutMs?: number): Promise<void> {
    await eventually(`the end of ${ids.join(", ")}`, () => ids.every((id) => !this.runs(id)), timeoutMs);
  }

  async started(ids: readonly string[]): Promise<void> {
    await eventually(`the start of ${ids.join(", ")}`, () => ids.every((id) => this.runs(id)));
  }

  #file(id: string): string {
    return join(this.#directory, id);
  }

  #lines(id: string, kind: string): string[] {
    const path = `${this.#file(id)}.${kind}`;
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  }
}
