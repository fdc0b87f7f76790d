/**
 * What a run makes on this machine: written down when made, undone in the end, and by the next run if this one could not.
 * Nothing is looked for by name: only what is in the book is touched.
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ControlGroups } from "../../src/containers/control-groups.ts";
import { identify, isRunning, type ProcessIdentity } from "../../src/containers/process-identity.ts";
import { endAll, endOne, tasksIn } from "./host/processes.ts";
import { run } from "./host/tools.ts";

export type Belonging =
  | ({ readonly kind: "process" } & ProcessIdentity)
  /** Whatever runs for the agent with this work directory. */
  | { readonly kind: "tasks"; readonly workDirectory: string }
  | { readonly kind: "namespace"; readonly name: string }
  | { readonly kind: "mount"; readonly path: string }
  | { readonly kind: "loop"; readonly device: string }
  | { readonly kind: "controlGroup"; readonly path: string }
  | { readonly kind: "directory"; readonly path: string };

const BOOK = "belongings";
/** Holds one directory per run. */
const ROOT = join(tmpdir(), "mesarch-chaos");
/** In memory; libfaketime leaves files there when its process is killed. */
const MEMORY = "/dev/shm";
const END_MS = 10_000;
const TRIES = 20;
const PAUSE_MS = 100;

export class Belongings {
  /** For data that goes with the run. */
  readonly directory: string;
  readonly #book: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.#book = join(directory, BOOK);
  }

  /** A new book; `root` is for tests. */
  static open(root = ROOT): Belongings {
    const directory = join(root, `run-${process.pid}-${Date.now().toString(36)}`);
    mkdirSync(directory, { recursive: true });
    const belongings = new Belongings(directory);
    appendFileSync(belongings.#book, `${JSON.stringify(identify(process.pid))}\n`);
    belongings.add({ kind: "directory", path: directory });
    return belongings;
  }

  /** The book of a run that another process of ours opened. */
  static join(directory: string): Belongings {
    return new Belongings(directory);
  }

  /** A directory that no disk slows down, where the system has room for one. */
  inMemory(): string {
    if (!existsSync(MEMORY)) return this.directory;
    const path = join(MEMORY, `mesarch-chaos-${basename(this.directory)}`);
    this.add({ kind: "directory", path });
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** To be called before, or at once after, it is made. */
  add(belonging: Belonging): void {
    appendFileSync(this.#book, `${JSON.stringify(belonging)}\n`);
  }

  /** Undoes everything, the last first; resolves with what could not be. */
  async undo(): Promise<string[]> {
    return undoBook(this.#book);
  }
}

/** Undoes what runs left behind whose processes are gone. Resolves with what could not be undone. */
export async function reap(root = ROOT): Promise<string[]> {
  const problems: string[] = [];
  for (const name of existsSync(root) ? readdirSync(root) : []) {
    const book = join(root, name, BOOK);
    if (!existsSync(book)) continue;
    const owner = JSON.parse(readFileSync(book, "utf8").split("\n")[0]!) as ProcessIdentity;
    if (!isRunning(owner)) problems.push(...(await undoBook(book)));
  }
  return problems;
}

async function undoBook(book: string): Promise<string[]> {
  const problems: string[] = [];
  const lines = existsSync(book) ? readFileSync(book, "utf8").split("\n").slice(1).filter(Boolean) : [];
  const seen = new Set<string>();
  for (const line of lines.reverse()) {
    if (seen.has(line)) continue;
    seen.add(line);
    const belonging = JSON.parse(line) as Belonging;
    await undoOne(belonging).catch((error: unknown) => problems.push(`${describe(belonging)}: ${error instanceof Error ? error.message : String(error)}`));
  }
  return problems;
}

async function undoOne(belonging: Belonging): Promise<void> {
  switch (belonging.kind) {
    case "process":
      if (!(await endOne(belonging, END_MS))) throw new Error("it does not end");
      for (const name of [`faketime_shm_${belonging.pid}`, `sem.faketime_sem_${belonging.pid}`]) await rm(join(MEMORY, name), { force: true });
      return;
    case "tasks":
      return endTasks(belonging.workDirectory);
    case "namespace":
      if (existsSync(`/run/netns/${belonging.name}`)) await patiently(() => run("ip", ["netns", "delete", belonging.name]));
      return;
    case "mount":
      if (isMounted(belonging.path)) await patiently(() => run("umount", [belonging.path]));
      return;
    case "loop":
      if ((await run("losetup", ["--list", "--noheadings", "--output", "NAME"])).split("\n").includes(belonging.device)) {
        await patiently(() => run("losetup", ["--detach", belonging.device]));
      }
      return;
    case "controlGroup":
      if (existsSync(belonging.path)) await patiently(() => rmdir(belonging.path));
      return;
    case "directory":
      return rm(belonging.path, { recursive: true, force: true, maxRetries: 5, retryDelay: PAUSE_MS });
  }
}

async function endTasks(workDirectory: string): Promise<void> {
  if (!(await endAll(() => tasksIn(workDirectory), END_MS))) throw new Error("its tasks do not end");
  const runs = join(workDirectory, "runs");
  const groups = await ControlGroups.open("mesarch");
  for (const launch of existsSync(runs) ? readdirSync(runs) : []) await patiently(async () => groups?.remove(launch));
}

export function isMounted(path: string): boolean {
  return readFileSync("/proc/self/mounts", "utf8").split("\n").some((line) => line.split(" ")[1] === path);
}

/** What was just killed may still hold it for a moment. */
async function patiently(act: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await act();
      return;
    } catch (error) {
      if (attempt === TRIES) throw error;
      await delay(PAUSE_MS);
    }
  }
}

function describe(belonging: Belonging): string {
  const { kind, ...rest } = belonging;
  return `${kind} ${Object.values(rest).join(" ")}`;
}
