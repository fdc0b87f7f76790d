/** A short run of the real thing: the leader is killed, an agent is killed, and all that was expected holds. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { readHistory } from "../../../chaos/history/reader.ts";

const root = join(import.meta.dirname, "../../..");

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

function chaos(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const command = ["--disable-warning=ExperimentalWarning", join(root, "chaos/real/main.ts"), ...args];
    const child = execFile(process.execPath, command, { cwd: root, maxBuffer: 16 * 2 ** 20 }, (_, stdout, stderr) => resolve({ code: child.exitCode, said: `${stderr}\n${stdout}` }));
  });
}

test("leader and agent are killed on one host: all that was expected is tested, and holds (I1, I6, I8, I9, I10, I13)", async (t) => {
  t.timeout(180_000);
  const report = mkdtempSync(join(tmpdir(), "mesarch-chaos-test-"));
  t.teardown(() => rmSync(report, { recursive: true, force: true }));
  const { code, said } = await chaos("--loopback", "--time", "8", "--seed", "6", "--nemesis", "kill-leader,kill-agent", "--report", report);
  t.is(code, 0, said);
  t.notRegex(said, /not undone/);
  const events = readHistory(join(report, "history.jsonl"));
  const epochs = new Set(events.flatMap((event) => (event.op === "commit" ? [event.epoch] : [])));
  t.true(epochs.size > 1, "there was a failover");
  const faults = new Set(events.flatMap((event) => (event.op === "fault" ? [event.value.name.split(" ")[0]!] : [])));
  t.deepEqual([...faults].toSorted(), ["kill-agent", "kill-leader"]);
  t.true(existsSync(join(report, "report.html")));
  t.is(JSON.parse(readFileSync(join(report, "report.json"), "utf8")).verdict, "held");

  const again = await chaos("check", report);
  t.is(again.code, 0, again.said);
});

test("orders that make no sense end with the usage, and change nothing", async (t) => {
  const { code, said } = await chaos("--time", "soon");
  t.is(code, 2);
  t.regex(said, /--time soon: a whole number/);
  t.regex(said, /usage:/);
});
