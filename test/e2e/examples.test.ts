/** What people copy: the examples, and the framework of the README. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { Collector } from "../support/collector.ts";
import { sharedCluster } from "./shared-cluster.ts";

const root = join(import.meta.dirname, "../..");
const shared = sharedCluster({ agents: 1, etcd: { members: 1 } });

/** Runs a file with the sources as "mesarch". */
function example(t: ExecutionContext, file: string): { readonly output: Collector<string>; readonly exited: Promise<number | null> } {
  const env = { PATH: process.env["PATH"], MESARCH_MASTERS: shared().addresses.join(",") };
  const args = ["--disable-warning=ExperimentalWarning", `--import=${join(root, "test/support/use-sources.ts")}`, file];
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  const output = new Collector<string>();
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", output.add);
  return { output, exited: new Promise((resolve) => child.once("close", resolve)) };
}

test.serial("examples/hello-framework.ts runs its tasks to the end, though the leader dies meanwhile (I9, I10)", async (t) => {
  const { output, exited } = example(t, "examples/hello-framework.ts");
  const text = (): string => output.items.join("");
  await output.until("a task that runs", () => /TASK_RUNNING/.test(text()));
  const leader = await shared().leader();
  await shared().kill(leader);
  t.is(await exited, 0, text());
  for (const number of [1, 2, 3, 4, 5]) t.regex(text(), new RegExp(`^hello-${number} TASK_FINISHED`, "m"));
  t.regex(text(), /^m\d leads now$/m);
  leader.start();
  await shared().whole();
});

test.serial("the framework of the README runs as it stands there", async (t) => {
  const [, code] = /```ts\n([^]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8"))!;
  const directory = await mkdtemp(join(tmpdir(), "mesarch-readme-"));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "hello.mts");
  const masters = /masters: "[^"]*"/;
  t.regex(code!, masters);
  await writeFile(file, code!.replace(masters, `masters: "${shared().addresses.join(",")}"`));
  const { output, exited } = example(t, file);
  t.is(await exited, 0, output.items.join(""));
  t.regex(output.items.join(""), /^hello-\w+ TASK_FINISHED$/m);
});
