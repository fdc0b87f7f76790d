import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { drillReport } from "../../../src/cli/drill/report.ts";
import { defaultDirectory, newId, Reports } from "../../../src/cli/drill/reports.ts";
import { runCli } from "../../../src/cli/program.ts";
import { memoryIo } from "../../support/memory-io.ts";

function directory(t: ExecutionContext): string {
  const made = mkdtempSync(join(tmpdir(), "mesarch-drills-"));
  t.teardown(() => rmSync(made, { recursive: true }));
  return made;
}

const idAt = (second: number): string => newId("crash", new Date(Date.UTC(2026, 0, 1, 0, 0, second)));

function reportAt(second: number) {
  const facts = { kind: "crash", id: idAt(second), started_at: "", cluster: "c1", version: "1", canaries: 1, rounds: 1, objective_ms: 1_000 } as const;
  const tasks = { running_before: 3, lost: 0, killed: 0, restarted: 0, duplicated: 0 };
  return drillReport(facts, [{ round: 1, failover_ms: 40, from: "m1", to: "m2", cause: "crash", phases_ms: { elected: 20 }, tasks, findings: [] }]);
}

test("reports are kept in the user's state directory unless said", (t) => {
  t.is(defaultDirectory({ XDG_STATE_HOME: "/state", HOME: "/home/me" }), "/state/mesarch/drills");
  t.is(defaultDirectory({ XDG_STATE_HOME: "", HOME: "/home/me" }), "/home/me/.local/state/mesarch/drills");
});

test("the latest 200 are kept, and files of others left alone", (t) => {
  const reports = new Reports(join(directory(t), "new"));
  t.deepEqual(reports.ids(), []);
  reports.keep(reportAt(0));
  writeFileSync(join(reports.directory, "mine.json"), "{}");
  for (let second = 1; second <= 201; second++) reports.keep(reportAt(second));
  t.is(reports.ids().length, 200);
  t.deepEqual([reports.ids()[0], reports.ids().at(-1)], [idAt(201), idAt(2)]);
  t.is(readdirSync(reports.directory).length, 201);
});

test("a report is found by its id or a unique beginning", (t) => {
  const reports = new Reports(directory(t));
  for (const second of [1, 12]) reports.keep(reportAt(second));
  t.like(reports.read(idAt(1)), reportAt(1));
  t.is(reports.read("20260101-000012").id, idAt(12));
  t.throws(() => reports.read("2026"), { code: "invalid" });
  t.throws(() => reports.read("2027"), { code: "not_found" });
});

test("drill report: a list, one of them, and what cannot be read is said", async (t) => {
  const reports = new Reports(directory(t));
  for (const second of [1, 2]) reports.keep(reportAt(second));
  writeFileSync(join(reports.directory, `${idAt(3)}.json`), "{");
  const mesarch = async (...args: string[]) => {
    const io = memoryIo();
    return { code: await runCli(["drill", "report", "--reports", reports.directory, ...args], io), out: io.out(), err: io.err() };
  };
  const list = await mesarch();
  t.is(list.code, 0);
  t.regex(list.out, new RegExp(`^ID[^]*${idAt(2)}  crash       1  40ms  40ms      1.00s      3       0  held\\n${idAt(1)}`, "m"));
  t.regex(list.err, /cannot be read as a report/);
  t.is(JSON.parse((await mesarch("-o", "json")).out).items.length, 2);
  t.is(JSON.parse((await mesarch(idAt(1), "-o", "json")).out).failover_ms.max, 40);
  t.regex((await mesarch(idAt(1))).out, /^ +1 +m1 +m2 +crash +20ms +40ms +3 +0$[^]*^Verdict +held$/m);
  t.is((await mesarch("2027")).code, 3);
});

test("drill run: what cannot be meant ends with 64 before anybody is asked", async (t) => {
  const lines = [["run"], ["run", "--kind", "nonsense"], ["run", "--kind", "crash", "--agent", "a"], ["run", "--kind", "crash", "--objective", "soon"]];
  for (const line of lines) t.is(await runCli(["drill", ...line], memoryIo()), 64, line.join(" "));
});
