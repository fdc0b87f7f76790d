import { randomBytes } from "node:crypto";
import { appendFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isFinal } from "../../src/containers/inspect-run.ts";
import { ledgerPath, parseLedger, type Ledger } from "../../src/containers/ledger.ts";
import { ProcessContainers, type ProcessContainersOptions } from "../../src/containers/process-containers.ts";
import type { RunSpec } from "../../src/ports/containers.ts";
import type { ContractHost } from "./contract.ts";
import { eventually } from "./observed-runs.ts";

/** Runs real processes in a directory of their own. */
export class ProcessHost implements ContractHost {
  readonly directory: string;
  readonly #options: Partial<ProcessContainersOptions>;

  private constructor(directory: string, options: Partial<ProcessContainersOptions>) {
    this.directory = directory;
    this.#options = options;
  }

  static async make(options: Partial<ProcessContainersOptions> = {}): Promise<ProcessHost> {
    return new ProcessHost(await mkdtemp(join(tmpdir(), "mesarch-runs-")), options);
  }

  get runs(): string {
    return join(this.directory, "runs");
  }

  async open(): Promise<ProcessContainers> {
    return ProcessContainers.open({ directory: this.runs, ...this.#options });
  }

  spec(changes: Partial<RunSpec> = {}): RunSpec {
    const launchId = randomBytes(16).toString("hex");
    const value = "until [ -e finish ]; do sleep 0.01; done; read -r status < finish; exit $status";
    return { launchId, command: { shell: true, value }, environment: {}, sandbox: this.sandbox(launchId), ...changes };
  }

  shell(value: string, changes: Partial<RunSpec> = {}): RunSpec {
    return this.spec({ command: { shell: true, value }, ...changes });
  }

  sandbox(launchId: string): string {
    return join(this.directory, "sandboxes", launchId);
  }

  async output(launchId: string, name = "stdout"): Promise<string> {
    return readFile(join(this.sandbox(launchId), name), "utf8");
  }

  async finish(launchId: string, status: number): Promise<void> {
    const file = join(this.sandbox(launchId), "finish");
    await writeFile(`${file}.new`, `${status}\n`);
    await rename(`${file}.new`, file);
  }

  async ledger(launchId: string): Promise<Ledger> {
    return parseLedger(await readFile(ledgerPath(join(this.runs, launchId)), "utf8"));
  }

  async monitorPid(launchId: string): Promise<number> {
    const { start } = await this.ledger(launchId);
    if (typeof start !== "object") throw new Error(`no monitor in the ledger of ${launchId}`);
    return start.pid;
  }

  /** A run directory as an earlier agent or boot may have left it. */
  async leave(launchId: string, ...entries: string[]): Promise<void> {
    const directory = join(this.runs, launchId);
    await mkdir(directory, { recursive: true });
    await appendFile(ledgerPath(directory), ["run 1", ...entries, ""].join("\n"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using containers = await this.open();
    for (const launchId of await containers.list()) {
      await containers.kill(launchId, 0);
      await eventually(async () => {
        const state = await containers.inspect(launchId);
        if (state.kind === "running" && !state.monitored) await containers.kill(launchId, 0);
        return state.kind === "absent" || isFinal(state);
      }, `end of ${launchId}`);
    }
    // A late monitor would make its ledger anew in a directory that is being removed.
    await rename(this.runs, `${this.runs}.removed`);
    await rm(this.directory, { recursive: true, force: true });
  }
}
