import { constants } from "node:fs";
import { chmod, chown, mkdir, open, rename, symlink, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { MesarchError } from "../base/errors.ts";
import type { RunSpec } from "../ports/containers.ts";
import type { Account } from "./account.ts";
import { launchScript } from "./launch-script.ts";
import { createLedger } from "./ledger.ts";

let writes = 0;

/** Makes run directory and ledger, which is all a mark needs. Rejects with a system error. */
export async function prepareLedger(runDirectory: string): Promise<void> {
  await mkdir(runDirectory, { recursive: true, mode: 0o700 });
  await createLedger(runDirectory);
}

/** Writes all that a monitor needs before it is spawned. Rejects with a system error, or `invalid`. */
export async function prepareRun(runDirectory: string, spec: RunSpec, account: Account | undefined): Promise<void> {
  const script = launchScript(spec);
  await Promise.all([prepareLedger(runDirectory), makeSandbox(spec.sandbox, account)]);
  await Promise.all([writeLaunchScript(runDirectory, script), linkSandbox(runDirectory, spec.sandbox)]);
}

/**
 * Opens a file of the sandbox for appending. The caller closes it. Rejects with a system error, or `invalid` if something
 * else is in its place.
 */
export async function openOutput(sandbox: string, name: "stdout" | "stderr", account: Account | undefined): Promise<FileHandle> {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  // The sandbox belongs to the task's user, who must not choose where root writes, nor let it wait for a pipe's reader.
  const file = await open(join(sandbox, name), O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK, 0o640);
  try {
    if (!(await file.stat()).isFile()) throw new MesarchError("invalid", `${name} in ${sandbox} is not a file`);
    if (account) await file.chown(account.uid, account.gid);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function makeSandbox(sandbox: string, account: Account | undefined): Promise<void> {
  await mkdir(sandbox, { recursive: true });
  await chmod(sandbox, 0o750);
  if (account) await chown(sandbox, account.uid, account.gid);
}

/** Replaced as a whole: an earlier monitor may be reading it. */
async function writeLaunchScript(runDirectory: string, script: string): Promise<void> {
  const unfinished = join(runDirectory, `launch.${process.pid}.${(writes += 1)}`);
  await writeFile(unfinished, script, { mode: 0o600 });
  await rename(unfinished, join(runDirectory, "launch"));
}

/** Where the sandbox is, for log rotation and for people. */
async function linkSandbox(runDirectory: string, sandbox: string): Promise<void> {
  await symlink(sandbox, join(runDirectory, "sandbox")).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}
