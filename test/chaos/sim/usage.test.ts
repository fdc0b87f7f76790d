/** What the command lines of the simulation refuse: a typing error must not look like a campaign in which all is well. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { drawPlan } from "../../../chaos/sim/plan.ts";
import { plantedBugs } from "../../../chaos/sim/planted-bugs.ts";
import { parseHunt, parseSimulation } from "../../../chaos/sim/usage.ts";

test("one thing is asked for, in whole numbers", (t) => {
  t.throws(() => parseSimulation([]), { message: /one of --seeds, --seed and --plan is needed/ });
  t.throws(() => parseSimulation(["--seeds", "3", "--seed", "3"]), { message: /one of --seeds/ });
  for (const wrong of ["x", "1.5", "-1", "", "0"]) t.throws(() => parseSimulation([`--seeds=${wrong}`]), { message: /--seeds .*a whole number from 1 on is needed/ });
  t.throws(() => parseSimulation(["--seeds", "3", "--jobs", "0"]), { message: /--jobs 0: a whole number from 1 on/ });
  t.throws(() => parseSimulation(["--seed", "3", "--minutes", "0"]), { message: /--minutes 0/ });
  t.throws(() => parseHunt(["--jobs", "0"]), { message: /--jobs 0/ });
  t.throws(() => parseSimulation(["--seed", "3", "more"]));
  t.throws(() => parseHunt(["--bogus"]));
});

test("only flaws that there are can be what makes a seed red, and each planted bug breaks such", (t) => {
  t.throws(() => parseSimulation(["--seeds", "3", "--only", "I8,I99"]), { message: /--only I99: one of / });
  for (const { name, breaks } of plantedBugs) t.notThrows(() => parseSimulation(["--seeds", "3", "--only", breaks.join()]), name);
});

test("a plan is one of this version", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "mesarch-plan-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const read = (name: string, text: string) => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return parseSimulation(["--plan", file]);
  };
  const plan = drawPlan(3);
  t.deepEqual(read("good.json", JSON.stringify(plan)), { kind: "one", plan, trace: false });
  t.throws(() => read("older.json", JSON.stringify({ ...plan, orders: undefined })), { message: /no plan of this version, as it lacks orders/ });
  for (const text of ["", "{", "null", "[]", "7"]) t.throws(() => read("broken.json", text), { message: /--plan .*broken\.json: / });
  t.throws(() => parseSimulation(["--plan", join(directory, "missing.json")]), { message: /ENOENT/ });
});
