/** Programs of this machine that faults need, and where Debian has them. None is installed by us. */
import { execFile, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const packages = {
  bash: "bash",
  ip: "iproute2",
  tc: "iproute2",
  nft: "nftables",
  nsenter: "util-linux",
  unshare: "util-linux",
  mount: "mount",
  umount: "mount",
  losetup: "mount",
  prlimit: "util-linux",
  fallocate: "util-linux",
  "mkfs.ext4": "e2fsprogs",
  xfs_io: "xfsprogs",
  strace: "strace",
  etcd: "etcd-server",
  etcdctl: "etcd-client",
} as const;

export type Tool = keyof typeof packages;

/** The system's own first, which the path of a plain account leaves out: npm's packages have programs of the same names. */
const DIRECTORIES = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", ...(process.env["PATH"] ?? "").split(delimiter)];

const LIBFAKETIME = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/local/lib"].map((directory) => join(directory, "faketime/libfaketime.so.1"));

/** Longest wait for a tool. */
const PATIENCE_MS = 20_000;

export function packageOf(tool: Tool): string {
  return packages[tool];
}

export function find(tool: Tool): string | undefined {
  return DIRECTORIES.filter((directory) => directory !== "")
    .map((directory) => join(directory, tool))
    .find(isExecutable);
}

/** The library that changes the wall clock of one process; Debian's package is libfaketime. */
export function findFakeTime(): string | undefined {
  return LIBFAKETIME.find((path) => {
    try {
      accessSync(path, constants.R_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs it to its end; resolves with what it printed. Rejects with what it complained about. */
export async function run(tool: Tool, args: readonly string[], { input, patienceMs = PATIENCE_MS }: { input?: string; patienceMs?: number } = {}): Promise<string> {
  const path = find(tool);
  if (path === undefined) throw new MissingTool(tool);
  if (input !== undefined) return feed(path, args, input);
  try {
    return (await promisify(execFile)(path, args, { timeout: patienceMs })).stdout;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Error(`${tool} ${args.join(" ")}: ${stderr?.trim() || message}`, { cause: error });
  }
}

export class MissingTool extends Error {
  constructor(tool: Tool) {
    super(`${tool} is missing (Debian package ${packages[tool]})`);
    this.name = "MissingTool";
  }
}

function feed(path: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { stdio: ["pipe", "pipe", "pipe"], timeout: PATIENCE_MS });
    let [said, complaint] = ["", ""];
    child.stdout.on("data", (data) => (said += String(data)));
    child.stderr.on("data", (data) => (complaint += String(data)));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(said) : reject(new Error(`${path} ${args.join(" ")}: ${complaint.trim() || `exit code ${code}`}`))));
    child.stdin.on("error", () => {}); // it ended early, which its exit code tells
    child.stdin.end(input);
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
