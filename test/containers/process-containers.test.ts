import test from "ava";
import { existsSync } from "node:fs";
import { open, readFile, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { containersContract } from "./contract.ts";
import { ObservedRuns } from "./observed-runs.ts";
import { ProcessHost } from "./process-host.ts";

containersContract(test, "processes", () => ProcessHost.make());

if (existsSync("/bin/bash")) containersContract(test, "processes under bash", () => ProcessHost.make({ shell: "/bin/bash" }));

test("exit statuses and signals are told as shells tell them", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const cases = { true: 0, "exit 255": 255, "kill -KILL $$": 137, "kill -INT $$": 130, "kill -USR1 $$": 138, "/no/such/program": 127 };
  for (const [command, status] of Object.entries(cases)) {
    const spec = host.shell(command);
    await containers.start(spec);
    t.like(await runs.until(spec.launchId, "exited"), { status, killed: false }, command);
  }
});

test("output is appended in the sandbox", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const first = host.shell("echo out; echo err >&2; pwd");
  const second = host.shell("echo more", { sandbox: first.sandbox });
  await containers.start(first);
  await runs.until(first.launchId, "exited");
  await containers.start(second);
  await runs.until(second.launchId, "exited");
  t.is(await host.output(first.launchId), `out\n${first.sandbox}\nmore\n`);
  t.is(await host.output(first.launchId, "stderr"), "err\n");
});

test("arguments and environment arrive byte for byte, and nothing else does", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const hard = `it's "quoted" \`id\` $(id) $HOME \\ \n\ttab * ? ; & | < > # ~ \u0081\u00e4\u4e2d \u{1f600} -n`;
  const environment = { HARD: hard, EMPTY: "", run: "1", child: "2", UID: "77", "with.dot": hard, IFS: "x", PATH: "/usr/bin:/bin" };
  const value = process.execPath;
  const program = "process.stdout.write(JSON.stringify({ argv: process.argv.slice(1), env: process.env }))";
  const spec = host.spec({ command: { shell: false, value, arguments: ["node", "-e", program, "--", hard, "", "-"] }, environment });
  await containers.start(spec);
  t.is((await runs.until(spec.launchId, "exited")).status, 0);
  const { argv, env } = JSON.parse(await host.output(spec.launchId)) as { argv: string[]; env: Record<string, string> };
  t.deepEqual(argv, [hard, "", "-"]);
  const { PWD, SHLVL, _, OLDPWD, ...rest } = env;
  t.deepEqual(rest, environment);
});

test("a program is looked up in the task's own PATH", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const command = { shell: false, value: "mesarch-test-program", arguments: ["x", "found"] } as const;
  const spec = host.spec({ command, environment: { PATH: host.directory } });
  await symlink("/bin/echo", join(host.directory, "mesarch-test-program"));
  await containers.start(spec);
  t.is((await runs.until(spec.launchId, "exited")).status, 0);
  t.is(await host.output(spec.launchId), "found\n");
});

test("a task leads its own session, handles signals by default and holds nothing of the agent", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  await using secret = await open(join(host.directory, "secret"), "w");
  const server = createServer().listen(0);
  const spec = host.shell("cat /proc/$$/stat /proc/$PPID/stat; readlink /proc/$$/fd/*; grep SigIgn /proc/$$/status");
  await containers.start(spec);
  await runs.until(spec.launchId, "exited");
  server.close();
  const [stat = "", monitorStat = "", ...rest] = (await host.output(spec.launchId)).trim().split("\n");
  const [pid, , , , group, session] = stat.split(" ");
  t.is(pid, group);
  t.is(pid, session);
  const [monitor, , , , , monitorSession] = monitorStat.split(" ");
  t.is(monitor, monitorSession, "nor does its monitor belong to the agent's session");
  t.false(rest.some((line) => line.includes("secret") || line.includes("socket:") || line.includes(host.runs)), rest.join("\n"));
  t.true(rest.includes("/dev/null"), "standard input is empty");
  t.regex(rest.at(-1) ?? "", /SigIgn:\s0+$/);
  t.true(secret.fd > 2);
});

test("where only root may: a task runs as the user it names", async (t) => {
  if (process.getuid?.() !== 0) return t.pass("not root");
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const spec = host.shell("id -un; touch mine; cat /proc/$PPID/environ", { user: "nobody", environment: { SECRET: "x" } });
  await containers.start(spec);
  await runs.until(spec.launchId, "exited");
  t.is(await host.output(spec.launchId), "nobody\n", "and sees nothing of its monitor");
  await t.throwsAsync(containers.start(host.shell("true", { user: "no-such-user" })), { message: /no user/ });
});

test("the launch script is for the agent's eyes only", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  const runs = new ObservedRuns(containers);
  const spec = host.shell("true", { environment: { SECRET: "s3cret" } });
  await containers.start(spec);
  await runs.until(spec.launchId, "exited");
  const path = join(host.runs, spec.launchId, "launch");
  await using script = await open(path);
  t.is((await script.stat()).mode & 0o077, 0);
  t.true((await readFile(path, "utf8")).includes("s3cret"));
});

test("what no process can be given is refused before anything starts", async (t) => {
  await using host = await ProcessHost.make();
  await using containers = await host.open();
  for (const spec of [host.shell("a\0b"), host.shell("true", { environment: { "a=b": "c" } }), host.shell("true", { environment: { A: "\0" } })]) {
    await t.throwsAsync(containers.start(spec), { name: "MesarchError", code: "invalid" });
    t.deepEqual(await containers.inspect(spec.launchId), { kind: "absent" });
  }
});
