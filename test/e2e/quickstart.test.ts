/** The quickstart in short, and an end in the middle of it: nothing of it may be left. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { type DevProcess, PROCESSES_FILE } from "../../src/dev/dev-cluster.ts";
import { Collector } from "../support/collector.ts";
import { eventually } from "../support/eventually.ts";

const root = join(import.meta.dirname, "../..");

class Quickstart {
  readonly output = new Collector<string>();
  readonly exited: Promise<number | null>;
  readonly #directory: string;
  readonly #child: ChildProcess;
  /** For a test that is broken off. */
  readonly #onExit = (): void => this.signal("SIGTERM");

  private constructor(directory: string, flags: readonly string[]) {
    this.#directory = directory;
    const program = ["--disable-warning=ExperimentalWarning", "examples/quickstart/main.ts", "--cli=src/cli/main.ts", ...flags];
    const env = { PATH: process.env["PATH"], TMPDIR: directory, NODE_COMPILE_CACHE: join(root, "node_modules/.cache/mesarch-e2e") };
    this.#child = spawn(process.execPath, program, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) stream.setEncoding("utf8").on("data", this.output.add);
    this.exited = new Promise((resolve) => this.#child.once("close", resolve));
    process.on("exit", this.#onExit);
  }

  static async start(t: ExecutionContext, ...flags: string[]): Promise<Quickstart> {
    t.timeout(110_000);
    const quickstart = new Quickstart(await mkdtemp(join(tmpdir(), "mesarch-quick-")), flags);
    t.teardown(async () => {
      if (!t.passed) console.error(quickstart.text);
      quickstart.signal("SIGTERM");
      await quickstart.exited;
      await rm(quickstart.#directory, { recursive: true, force: true });
      process.off("exit", quickstart.#onExit);
    });
    return quickstart;
  }

  get text(): string {
    return this.output.items.join("");
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#child.exitCode === null) this.#child.kill(signal);
  }

  /** The cluster's directory, while there is one. */
  get #cluster(): string | undefined {
    const [name] = readdirSync(this.#directory).filter((entry) => entry.startsWith("mesarch-quickstart-"));
    return name === undefined ? undefined : join(this.#directory, name);
  }

  /** Resolves when so many tasks have been started, by their own account. */
  async tasksStarted(count: number): Promise<void> {
    await eventually(`${count} tasks`, () => {
      const evidence = join(this.#cluster ?? "", "evidence");
      return existsSync(evidence) && readdirSync(evidence).filter((name) => name.endsWith(".starts")).length >= count;
    });
  }

  pid(name: string): number {
    const processes = JSON.parse(readFileSync(join(this.#cluster!, PROCESSES_FILE), "utf8")) as DevProcess[];
    return processes.find((each) => each.name === name)!.pid!;
  }

  /** Processes started for it, tasks and monitors among them: each has its directory in its environment or arguments. */
  processes(): string[] {
    return readdirSync("/proc").filter((name) => {
      try {
        return /^\d+$/.test(name) && ["environ", "cmdline"].some((file) => readFileSync(`/proc/${name}/${file}`, "latin1").includes(this.#directory));
      } catch {
        return false;
      }
    });
  }

  leftovers(): string[] {
    return [...readdirSync(this.#directory), ...this.processes()];
  }
}

test.serial("quickstart: Ctrl-C while an agent is away ends its tasks, too, and leaves nothing", async (t) => {
  const quickstart = await Quickstart.start(t, "--jobs=8", "--services=4", "--passes=1000");
  await quickstart.tasksStarted(12);
  // Tasks and their monitors, what the cluster consists of, the one that looks after it, and the quickstart.
  t.true(quickstart.processes().length >= 2 * 12 + 9 + 2);
  process.kill(quickstart.pid("agent-0"), "SIGKILL");
  quickstart.signal("SIGINT");
  t.is(await quickstart.exited, 130);
  t.deepEqual(quickstart.leftovers(), []);
});

test.serial("quickstart: everything holds after an earlier run that was broken off, and nothing is left (I6, I9, I10)", async (t) => {
  const quickstart = await Quickstart.start(t, "--jobs=10", "--services=2", "--passes=2");
  t.is(await quickstart.exited, 0);
  const rows = [/leading master: m\d/, /all masters at once: m\d.*, m\d/, /agent-0 is back after \d+ ms/, /finished +10 of 10 jobs +ok/, /everything held/];
  for (const row of rows) t.regex(quickstart.text, row);
  t.deepEqual(quickstart.leftovers(), []);
});
