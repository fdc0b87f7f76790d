/** What faults need of a machine, and whether this one has it: each is tried, not guessed. */
import { writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { identify } from "../../../src/containers/process-identity.ts";
import type { Belongings } from "../belongings.ts";
import { LoopDisk } from "../cluster/loop-disk.ts";
import { namespaces, makeNamespaces, type NamespacePlan } from "../cluster/namespaces.ts";
import { makeMemoryGroup } from "./control-group.ts";
import { inject } from "./injection.ts";
import { find, findFakeTime, MissingTool, run } from "./tools.ts";

const attempts = {
  firewall: { what: "network namespaces with packet filters between them", attempt: tryFirewall },
  loss: { what: "packets lost at random", attempt: tryLoss },
  rate: { what: "links with a bounded rate", attempt: tryRate },
  injection: { what: "system calls of running processes made slow, wrong or deadly", attempt: tryInjection },
  disk: { what: "disks of their own, on loop devices", attempt: tryDisk },
  powerLoss: { what: "disks that forget what was not synced", attempt: tryPowerLoss },
  ownBoot: { what: "a boot of its own for one process", attempt: tryOwnBoot },
  fakeTime: { what: "a wall clock of its own for one process", attempt: tryFakeTime },
  descriptors: { what: "fewer descriptors for a running process", attempt: tryDescriptors },
  memory: { what: "control groups with little memory", attempt: tryMemory },
} as const satisfies Readonly<Record<string, { readonly what: string; readonly attempt: (belongings: Belongings) => Promise<void> }>>;

/** Not the machine's: whoever orders a run has it or not. */
export const PREVIOUS = { what: "an earlier version to upgrade from" } as const;

type TriedName = keyof typeof attempts;
export type AbilityName = TriedName | "previous";

export interface Ability {
  readonly name: AbilityName;
  readonly what: string;
  /** Why not; undefined where it works. */
  readonly problem: string | undefined;
}

/** Tries all of these; what they make is in the book, and undone with it. */
export async function probe(belongings: Belongings, names: readonly TriedName[] = Object.keys(attempts) as TriedName[]): Promise<Ability[]> {
  const found: Ability[] = [];
  for (const name of names) {
    const { what, attempt } = attempts[name];
    const problem = await attempt(belongings).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    found.push({ name, what, problem });
  }
  return found;
}

let trials = 0;

function trial(nodes: readonly string[]): NamespacePlan {
  return { prefix: `mchaos-${process.pid}-t${(trials += 1)}`, nodes };
}

async function tryFirewall(belongings: Belongings): Promise<void> {
  const plan = trial(["m1", "m2"]);
  for (const tool of ["ip", "nsenter", "nft"] as const) if (find(tool) === undefined) throw new MissingTool(tool);
  await makeNamespaces(plan, belongings);
  const network = namespaces(plan);
  const ping = async (): Promise<boolean> => reaches(network.enter("m1"), network.host("m2"));
  const listening = await listen(network.enter("m2"), belongings);
  try {
    if (!(await ping())) throw new Error("two namespaces do not reach each other");
    const mend = await network.firewall!.cut([{ from: "m1", to: "m2", loss: 1 }]);
    if (await ping()) throw new Error("a packet filter drops nothing");
    await mend();
    if (!(await ping())) throw new Error("a packet filter does not go away");
  } finally {
    await listening();
  }
}

async function tryLoss(belongings: Belongings): Promise<void> {
  const plan = trial(["m1"]);
  await makeNamespaces(plan, belongings);
  const mend = await namespaces(plan).firewall!.cut([{ from: "m1", to: "m1", loss: 0.2 }]);
  await mend();
}

async function tryRate(belongings: Belongings): Promise<void> {
  const plan = trial(["m1"]);
  await makeNamespaces(plan, belongings);
  const mend = await namespaces(plan).firewall!.slow("m1", "1mbit");
  await mend();
}

const PORT = 6050;

/** A listener on the port of masters; resolves when it listens, with what ends it. */
async function listen(enter: readonly string[], belongings: Belongings): Promise<() => Promise<void>> {
  const serve = `require("node:net").createServer((s)=>s.end()).listen(${PORT},()=>console.log("up"))`;
  const child = spawn(...command([...enter, process.execPath, "-e", serve]), { stdio: ["ignore", "pipe", "ignore"] });
  if (child.pid !== undefined) belongings.add({ kind: "process", ...(identify(child.pid) ?? { pid: child.pid, startTime: "" }) });
  await once(child.stdout!, "data");
  return async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
}

async function reaches(enter: readonly string[], host: string): Promise<boolean> {
  const dial = `const s=require("node:net").connect(${PORT},"${host}");s.on("connect",()=>process.exit(0));s.on("error",()=>process.exit(1));setTimeout(()=>process.exit(1),700)`;
  const child = spawn(...command([...enter, process.execPath, "-e", dial]), { stdio: "ignore" });
  const [code] = (await once(child, "exit")) as [number | null];
  return code === 0;
}

async function tryInjection(belongings: Belongings): Promise<void> {
  const child = spawn(process.execPath, ["-e", 'setInterval(() => require("node:fs").accessSync("/"), 20)'], { stdio: "ignore" });
  belongings.add({ kind: "process", ...(identify(child.pid!) ?? { pid: child.pid!, startTime: "" }) });
  const gone = once(child, "exit");
  try {
    const detach = await inject({ pid: child.pid!, calls: ["access"], tamper: "signal=SIGKILL:when=2", paths: ["/"] }, belongings);
    const died = await Promise.race([gone.then(() => true), delay(3_000).then(() => false)]);
    await detach();
    if (!died) throw new Error("a system call that should kill does not");
  } finally {
    child.kill("SIGKILL");
  }
}

function diskOf(belongings: Belongings, name: string): LoopDisk {
  const mountPoint = join(belongings.directory, name);
  return new LoopDisk({ image: `${mountPoint}.img`, mountPoint, mebibytes: 16, belongings });
}

async function tryDisk(belongings: Belongings): Promise<void> {
  const disk = diskOf(belongings, `disk-${(trials += 1)}`);
  await disk.make();
  disk.fill();
  disk.makeRoom();
}

async function tryPowerLoss(belongings: Belongings): Promise<void> {
  const disk = diskOf(belongings, `disk-${(trials += 1)}`);
  await disk.make();
  await disk.losePower();
  let written = true;
  try {
    writeFileSync(join(disk.mountPoint, "late"), "");
  } catch {
    written = false;
  }
  if (written) throw new Error("a disk without power takes a file");
  await disk.remount();
  writeFileSync(join(disk.mountPoint, "later"), "");
}

async function tryOwnBoot(belongings: Belongings): Promise<void> {
  const file = join(belongings.directory, "boot");
  writeFileSync(file, "another\n");
  const script = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && cat /proc/sys/kernel/random/boot_id';
  const shown = await run("unshare", ["--mount", "--propagation", "slave", "/bin/sh", "-c", script, file]);
  if (shown.trim() !== "another") throw new Error("the boot id cannot be changed for one process");
}

async function tryFakeTime(belongings: Belongings): Promise<void> {
  const library = findFakeTime();
  if (library === undefined) throw new Error("libfaketime is missing (Debian package libfaketime)");
  const file = join(belongings.directory, "clock");
  writeFileSync(file, "+3600\n");
  const env = { ...process.env, LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
  const child = spawn(process.execPath, ["-e", "console.log(Date.now())"], { env, stdio: ["ignore", "pipe", "ignore"] });
  const [text] = (await once(child.stdout!, "data")) as [Buffer];
  const ahead = Number(String(text)) - Date.now();
  if (Math.abs(ahead - 3_600_000) > 60_000) throw new Error(`node is shown a clock ${Math.round(ahead / 1_000)} s ahead, not an hour`);
}

async function tryDescriptors(belongings: Belongings): Promise<void> {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 20000)"], { stdio: "ignore" });
  belongings.add({ kind: "process", ...(identify(child.pid!) ?? { pid: child.pid!, startTime: "" }) });
  try {
    const limit = async (): Promise<string> => (await run("prlimit", [`--pid=${child.pid}`, "--nofile", "--output=SOFT", "--noheadings", "--raw"])).trim();
    const before = await limit();
    await run("prlimit", [`--pid=${child.pid}`, "--nofile=64:"]);
    if ((await limit()) !== "64") throw new Error("a lower limit is not taken");
    await run("prlimit", [`--pid=${child.pid}`, `--nofile=${before}:`]);
  } finally {
    child.kill("SIGKILL");
  }
}

async function tryMemory(belongings: Belongings): Promise<void> {
  const group = await makeMemoryGroup(`mesarch-chaos-${process.pid}-trial`, 16, belongings);
  const child = spawn(...command([...group.enter, process.execPath, "-e", "Buffer.alloc(64 * 2 ** 20, 1)"]), { stdio: "ignore" });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code === 0) throw new Error("a control group does not bound memory");
}

function command(words: readonly string[]): [string, string[]] {
  const [program, ...args] = words as [string, ...string[]];
  return [program, args];
}
