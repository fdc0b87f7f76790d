import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import os, { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { findAccount } from "../../src/containers/account.ts";

/** A getent that does what `script` says, for the rest of the test. */
async function hostWhoseGetent(t: ExecutionContext, script: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "mesarch-getent-"));
  const path = process.env["PATH"];
  await writeFile(join(directory, "getent"), `#!/bin/sh\n${script}\n`);
  await chmod(join(directory, "getent"), 0o755);
  process.env["PATH"] = `${directory}${delimiter}${path}`;
  t.teardown(async () => {
    process.env["PATH"] = path;
    await rm(directory, { recursive: true });
  });
}

test.serial("who we are needs no account, by name or by number", async (t) => {
  const own = os.userInfo();
  t.is(await findAccount(undefined), undefined);
  t.is(await findAccount(own.username), undefined);
  await hostWhoseGetent(t, `echo alias:x:${own.uid}:${own.gid}::/:/bin/sh`);
  t.is(await findAccount("alias"), undefined);
});

test.serial("who has no name of its own still finds others", async (t) => {
  const real = os.userInfo;
  // As it does for a user without an entry.
  os.userInfo = (() => {
    throw new Error("ERR_SYSTEM_ERROR: uv_os_get_passwd returned ENOENT");
  }) as never;
  syncBuiltinESMExports();
  t.teardown(() => {
    os.userInfo = real;
    syncBuiltinESMExports();
  });
  await hostWhoseGetent(t, "echo someone:x:4711:4712::/:/bin/sh");
  const found = findAccount("someone");
  if (process.getuid?.() === 0) t.deepEqual(await found, { name: "someone", uid: 4711, gid: 4712 });
  else await t.throwsAsync(found, { code: "refused" });
});

test.serial("a lookup without an answer is given up, and is no proof that there is no such user", async (t) => {
  await hostWhoseGetent(t, "exec sleep 1000");
  await t.throwsAsync(findAccount("someone", 50), { code: "unavailable", message: /no answer within 50 ms/ });
  await hostWhoseGetent(t, "exit 3");
  await t.throwsAsync(findAccount("someone"), { code: "unavailable", message: /failed \(3\)/ });
});

test.serial("who is not found is told from a getent that cannot run", async (t) => {
  execFileSync("getent", ["--version"]);
  await t.throwsAsync(findAccount("no-such-user"), { code: "invalid", message: /no user "no-such-user"/ });
  const path = process.env["PATH"];
  process.env["PATH"] = "/nowhere";
  t.teardown(() => void (process.env["PATH"] = path));
  await t.throwsAsync(findAccount("no-such-user"), { code: "ENOENT" });
});
