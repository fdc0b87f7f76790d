import test from "ava";
import { commands } from "../../src/cli/commands.ts";
import { exitCodeOf } from "../../src/cli/exit-codes.ts";
import { runCli } from "../../src/cli/program.ts";
import { errorTable, MesarchError, type ErrorCode } from "../../src/base/errors.ts";
import { memoryIo } from "../support/memory-io.ts";

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = memoryIo();
  const code = await runCli(args, io);
  return { code, out: io.out(), err: io.err() };
}

test("an unknown command names the nearest, and ends with 64", async (t) => {
  t.deepEqual(await run("stauts"), { code: 64, out: "", err: 'error: there is no command "stauts" (did you mean status?)\nSee: mesarch --help\n' });
  t.is((await run("xyzzy")).err, 'error: there is no command "xyzzy"\nSee: mesarch --help\n');
});

test("unknown flags and subcommands, and missing words, end with 64", async (t) => {
  const flag = await run("status", "--tiemout", "5s");
  t.is(flag.code, 64);
  t.regex(flag.err, /Did you mean --timeout/);
  t.is((await run("task", "kil", "x")).code, 64);
  t.is((await run("task", "kill")).code, 64);
});

test("every wrong value is said at once", async (t) => {
  const { code, err } = await run("status", "--timeout", "soon", "--output", "xml", "--masters", "http://x");
  t.is(code, 64);
  t.regex(err, /^error: the configuration has 3 problems:$/m);
});

test("flags may come before the command", async (t) => {
  const { code, err } = await run("--masters", "127.0.0.1:1", "--timeout", "50ms", "status");
  t.is(code, 2);
  t.regex(err, /127\.0\.0\.1:1/);
});

test("flags before the command are for commands that have them", async (t) => {
  const { code, err } = await run("--output", "json", "task", "logs", "x");
  t.is(code, 64);
  t.regex(err, /mesarch task logs has no option --output/);
});

test("what cannot be meant ends with 64 before anybody is asked", async (t) => {
  const lines = [
    ["task", "list", "--limit", "many"],
    ["leader", "history", "--limit", "-1"],
    ["task", "kill", "x", "--grace", "soon"],
    ["task", "logs", "x", "--tail", "much"],
    ["run", "--constraint", "nonsense", "true"],
    ["run", "--env", "novalue", "true"],
    ["master", "--config", "/nowhere/mesarch.yaml"],
    ["agent", "--config", "/dev/null"],
    ["registry", "restore", "--empty"],
  ];
  for (const line of lines) t.is((await run(...line)).code, 64, line.join(" "));
});

test("help shows options where they work, and variables that are read", async (t) => {
  const help = async (...command: string[]): Promise<string> => (await run(...command, "--help")).out;
  t.regex(await help("status"), /--output[^]*--color[^]*env\s+MESARCH_COLOR/);
  const listing = await help("task", "list");
  t.true(listing.includes("--output") && !listing.includes("--color"));
  for (const command of [["task", "logs"], ["registry", "dump"], ["run"]]) t.notRegex(await help(...command), /--output|--color/);
  t.notRegex(await help("dev"), /env\s+MESARCH/);
  t.deepEqual([...new Set((await help("run")).match(/MESARCH_\w+/g))].sort(), ["MESARCH_MASTERS", "MESARCH_TIMEOUT"]);
});

test("every command has help with its options", async (t) => {
  for (const { name, summary } of commands) {
    const { code, out } = await run(name, "--help");
    t.is(code, 0, name);
    t.true(out.startsWith(`Usage: mesarch ${name}`), name);
    t.true(out.includes(summary), name);
  }
});

test("help says units, defaults and variables", async (t) => {
  const { out } = await run("help", "master");
  t.regex(out, /--lease-ttl <duration>[^]*default 5s; env\s+MESARCH_LEASE_TTL/);
});

test("help of the program", async (t) => {
  const { code, out } = await run("--help");
  t.is(code, 0);
  t.snapshot(out.split("\n").filter((line) => /^ {2}[a-z]+ /.test(line)).join("\n"));
});

test("the exit codes are documented", async (t) => {
  const { out } = await run("help", "exit-codes");
  for (const { exit } of Object.values(errorTable)) t.regex(out, new RegExp(`^ +${exit}  `, "m"));
  t.snapshot(out);
});

test("each kind of error has its exit code", (t) => {
  for (const code of Object.keys(errorTable) as ErrorCode[]) t.is(exitCodeOf(new MesarchError(code, "x")), errorTable[code].exit);
  t.is(exitCodeOf(new TypeError("bug")), 1);
});

test("the configuration of a daemon can be shown, with the origin of each value", async (t) => {
  const { code, out } = await run("master", "--lease-ttl", "7s", "--show-config");
  t.is(code, 0);
  t.regex(out, /^lease-ttl = 7s {2}# flag --lease-ttl$/m);
  t.regex(out, /^peer-silence = 400ms {2}# default$/m);
});
