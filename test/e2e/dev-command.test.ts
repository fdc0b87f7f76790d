/** `mesarch dev` as a person plays with it. */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { type DevProcess, PROCESSES_FILE } from "../../src/dev/dev-cluster.ts";
import { freePorts, isFree } from "../../src/dev/free-ports.ts";
import { MesarchProcess } from "../support/mesarch-process.ts";
import { eventually } from "../support/eventually.ts";

const MASTERS = 3;
const AGENTS = 2;

/** Counts aloud, after its own pid. */
const COUNT = 'echo "pid $$"; n=0; while :; do n=$((n+1)); echo "line $n"; sleep 0.1; done';

async function freeBasePort(): Promise<number> {
  const offsets = [...Array(MASTERS).keys(), ...Array.from({ length: AGENTS }, (_, i) => 100 + i)];
  return eventually("free ports in a row", async () => {
    const [base] = (await freePorts(1)) as [number];
    const free = await Promise.all(offsets.map((offset) => isFree(base + offset)));
    return free.every(Boolean) && base;
  });
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

class Playground {
  readonly #directory: string;
  readonly dev: MesarchProcess;
  readonly #masters: string;
  readonly #commands: MesarchProcess[] = [];
  /** For a test that is broken off. */
  readonly #onExit = (): void => this.dev.kill("SIGINT");

  private constructor(directory: string, basePort: number, args: readonly string[]) {
    this.#directory = directory;
    this.#masters = Array.from({ length: MASTERS }, (_, i) => `127.0.0.1:${basePort + i}`).join(",");
    this.dev = new MesarchProcess(["dev", `--base-port=${basePort}`, "--etcd=1", ...args], { TMPDIR: directory });
    process.on("exit", this.#onExit);
  }

  /** Resolves when the banner is shown. All ends with the test. */
  static async open(t: ExecutionContext, ...args: string[]): Promise<Playground> {
    t.timeout(90_000);
    const playground = new Playground(await mkdtemp(join(tmpdir(), "mesarch-play-")), await freeBasePort(), args);
    t.teardown(() => playground.#close(t.passed));
    playground.dev.start();
    await playground.dev.stdout.until("the banner", () => /Ctrl-C stops everything/.test(playground.dev.text));
    return playground;
  }

  /** Where it keeps its data, by its own word. */
  get data(): string {
    return /data and logs: (\S+)/.exec(this.dev.text)![1]!;
  }

  get processes(): DevProcess[] {
    return JSON.parse(readFileSync(join(this.data, PROCESSES_FILE), "utf8")) as DevProcess[];
  }

  pid(name: string): number {
    return this.processes.find((each) => each.name === name)!.pid!;
  }

  command(...args: string[]): MesarchProcess {
    const command = new MesarchProcess(args, { MESARCH_MASTERS: this.#masters });
    this.#commands.push(command);
    return command.start();
  }

  async leader(): Promise<string> {
    const status = this.command("status", "-o", "json");
    await status.exited;
    return (JSON.parse(status.text) as { status: { leader: string } }).status.leader;
  }

  async leftovers(): Promise<string[]> {
    return readdir(this.#directory);
  }

  async #close(passed: boolean): Promise<void> {
    if (!passed) console.error(this.dev.text, this.dev.stderr.items.join("\n"));
    await Promise.all([this.dev.end("SIGINT"), ...this.#commands.map((each) => each.end("SIGKILL"))]);
    await rm(this.#directory, { recursive: true, force: true });
    process.off("exit", this.#onExit);
  }
}

function lines(run: MesarchProcess): number[] {
  return [...run.text.matchAll(/^line (\d+)$/gm)].map(([, n]) => Number(n));
}

async function more(run: MesarchProcess): Promise<void> {
  const seen = lines(run).length;
  await run.stdout.until("more lines", () => lines(run).length > seen + 3);
}

test.serial("dev: a task goes on while leader, agent and etcd are killed by what processes.json says; Ctrl-C leaves nothing (I9, I10, I13)", async (t) => {
  const play = await Playground.open(t);
  const run = play.command("run", COUNT);
  await more(run);
  const task = Number(/^pid (\d+)$/m.exec(run.text)![1]);
  const leader = await play.leader();

  for (const victim of [leader, "agent-0", "agent-1", "etcd-0"]) {
    const killed = play.pid(victim);
    process.kill(killed, "SIGKILL");
    await play.dev.stdout.until(`${victim} is there again`, () => new RegExp(`${victim} (runs|serves) again`).test(play.dev.text));
    t.not(play.pid(victim), killed);
    await more(run);
  }
  t.not(await play.leader(), "");
  t.regex(play.dev.text, new RegExp(`m\\d leads \\(epoch .*\\), \\d+ ms after ${leader} died`));
  t.true(exists(task));
  const said = lines(run);
  t.deepEqual(said, said.map((_, i) => i + 1));

  const pids = [task, ...play.processes.map(({ pid }) => pid!)];
  t.is(pids.length, 1 + MASTERS + AGENTS + 1);
  t.like(await play.dev.end("SIGINT"), { code: 0 });
  t.regex(play.dev.text, /ending 1 tasks[^]*nothing is left behind/);
  await eventually("the end of all processes", () => !pids.some(exists));
  t.deepEqual(await play.leftovers(), []);
});

test.serial("dev --data-dir: the tasks go on without it, and are found again by the next (8.4, I6, I9)", async (t) => {
  const data = await mkdtemp(join(tmpdir(), "mesarch-kept-"));
  t.teardown(() => rm(data, { recursive: true, force: true }));
  const play = await Playground.open(t, `--data-dir=${data}`);
  const run = play.command("run", "--detach", "--name=kept", 'echo "pid $$"; exec sleep 1000');
  t.is((await run.exited).code, 0);
  const [, id] = /^task (\S+)$/m.exec(run.text) as unknown as [string, string];
  const logs = play.command("task", "logs", id);
  await logs.exited;
  const task = Number(/^pid (\d+)$/m.exec(logs.text)![1]);
  t.like(await play.dev.end("SIGINT"), { code: 0 });
  t.true(exists(task) && existsSync(data));

  play.dev.start();
  await play.dev.stdout.until("the second banner", () => play.dev.text.split("Ctrl-C stops everything").length === 3);
  const killed = play.command("task", "kill", id);
  t.is((await killed.exited).code, 0);
  await eventually("the end of the task", () => !exists(task));
  t.like(await play.dev.end("SIGINT"), { code: 0 });
});

test.serial("dev: a port that is taken is named, and nothing is started", async (t) => {
  const play = await Playground.open(t);
  const port = play.processes.find(({ name }) => name === "m0")!.address.split(":")[1]!;
  const second = play.command("dev", `--base-port=${port}`);
  t.is((await second.exited).code, 1);
  t.regex(second.stderr.items.join("\n"), new RegExp(`port ${port} is in use[^]*--base-port`));
  t.regex(await play.leader(), /^m\d$/);
});
