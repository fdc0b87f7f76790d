import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

export interface EtcdBinary {
  readonly path: string;
  /** As in "3.4.23". */
  readonly version: string;
}

const OLDEST = [3, 4] as const;
/** Seen from `src/dev` and from `dist/src/dev`. */
const UNPACKED = ["../..", "../../.."].map((root) => join(import.meta.dirname, root, ".tools/usr/bin/etcd"));

/**
 * The etcd to run: `path` if given, else `$MESARCH_ETCD`, else the first `etcd` on `$PATH`, else the one that a checkout's
 * `scripts/setup` unpacked.
 * Throws an Error that says how to install one.
 */
export async function findEtcd(path?: string, env: NodeJS.ProcessEnv = process.env, unpacked = UNPACKED): Promise<EtcdBinary> {
  const named = path ?? env["MESARCH_ETCD"];
  if (named !== undefined && named !== "") return inspect(named);
  for (const directory of (env["PATH"] ?? "").split(delimiter)) {
    const candidate = join(directory, "etcd");
    if (directory !== "" && (await isExecutable(candidate))) return inspect(candidate);
  }
  for (const candidate of unpacked) if (await isExecutable(candidate)) return inspect(candidate);
  throw new Error(
    [
      "etcd was not found on PATH, and MESARCH_ETCD does not name it. Install it:",
      "  Debian, Ubuntu:  sudo apt-get install etcd-server",
      "  macOS:           brew install etcd",
      "or set MESARCH_ETCD to the etcd program (3.4 or newer).",
    ].join("\n"),
  );
}

async function inspect(path: string): Promise<EtcdBinary> {
  let text: string;
  try {
    text = (await promisify(execFile)(path, ["--version"], { timeout: 10_000 })).stdout;
  } catch (cause) {
    throw new Error(`${path} --version failed; set MESARCH_ETCD to an etcd program`, { cause });
  }
  const [, version, major, minor] = /etcd Version: ((\d+)\.(\d+)\S*)/.exec(text) ?? [];
  if (version === undefined) throw new Error(`${path} does not look like etcd: --version says "${text.trim()}"`);
  if (Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1])) {
    throw new Error(`${path} is etcd ${version}; at least ${OLDEST.join(".")} is needed`);
  }
  return { path, version };
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
