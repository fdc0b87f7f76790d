/** Each fault is done to a process of its own: one that stops can tell nobody. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import test from "ava";

const module = new URL("../../src/containers/own-process.ts", import.meta.url).href;

/** Runs a script that has `own`; its output, and how it ended. */
async function run(script: string): Promise<{ readonly said: string; readonly end: unknown }> {
  const source = `import { OwnProcess } from "${module}"; const own = new OwnProcess({ warn() {} }, 0.2); ${script}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "exit");
  return { said: await text(child.stdout), end: await ended };
}

test("a process that hangs goes on by itself, however often it was asked at a time", async (t) => {
  const { said, end } = await run(`await Promise.all([own.hang(), own.hang(), own.hang()]); console.log("goes on");`);
  t.deepEqual([said, end], ["goes on\n", [0, null]]);
});

test("a process that crashes says nothing more", async (t) => {
  const { said, end } = await run(`own.crash(); console.log("goes on");`);
  t.deepEqual([said, end], ["", [null, "SIGKILL"]]);
});
