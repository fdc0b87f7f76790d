import { execFile } from "node:child_process";
import { userInfo } from "node:os";
import { promisify } from "node:util";
import { MesarchError } from "../base/errors.ts";

/** A user of this host other than ours. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Users may lie on a server that does not answer, and starts wait for one another. */
const LOOKUP_MS = 10_000;
/** Exit status of getent(1) for what it does not find. */
const NOT_FOUND = 2;

/**
 * Undefined if `user` is who we are. Rejects with `invalid` for an unknown user, `refused` if we may not change to it,
 * `unavailable` if that cannot be known now, or a system error.
 */
export async function findAccount(user: string | undefined, lookupMs = LOOKUP_MS): Promise<Account | undefined> {
  if (user === undefined || user === ownName()) return undefined;
  const { name, uid, gid } = await lookUp(user, lookupMs);
  if (uid === process.getuid?.()) return undefined;
  if (process.getuid?.() === 0) return { name, uid, gid };
  throw new MesarchError("refused", `running tasks as ${name} needs an agent that runs as root`);
}

/** Undefined for a user without a name, as containers run programs under. */
function ownName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

async function lookUp(user: string, lookupMs: number): Promise<Account> {
  const options = { timeout: lookupMs, killSignal: "SIGKILL" } as const;
  try {
    const { stdout } = await promisify(execFile)("getent", ["passwd", "--", user], options);
    const [name = "", , uid, gid] = stdout.split(":");
    return { name, uid: Number(uid), gid: Number(gid) };
  } catch (cause) {
    const { code, killed } = cause as { code?: unknown; killed?: boolean };
    const quoted = JSON.stringify(user);
    if (code === NOT_FOUND) throw new MesarchError("invalid", `this host has no user ${quoted}`, { cause });
    // It did not even run.
    if (typeof code === "string") throw cause;
    const why = killed === true ? `no answer within ${lookupMs} ms` : `getent failed (${String(code)})`;
    throw new MesarchError("unavailable", `user ${quoted} cannot be looked up: ${why}`, { cause });
  }
}
