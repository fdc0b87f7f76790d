/**
 * Runs AVA, shows its own output, and closes with "N passed, N failed" for machine readers, and how many were skipped if
 * any were. A run of no tests fails.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "../..");
const ava = spawn(process.execPath, [join(root, "node_modules/ava/entrypoints/cli.js"), "--tap", ...process.argv.slice(2)], {
  cwd: root,
  stdio: ["ignore", "pipe", "inherit"],
});

let passed = 0;
let failed = 0;
let skipped = 0;
let failing = false;
for await (const line of createInterface({ input: ava.stdout })) {
  if (/^ok \d+.* # SKIP$/.test(line)) {
    skipped += 1;
    failing = false;
    console.log(line.replace(/^ok \d+ - (.*) # SKIP$/, "  SKIPPED  $1"));
  } else if (/^ok \d+/.test(line)) {
    passed += 1;
    failing = false;
    console.log(line.replace(/^ok \d+ - /, "  ok  "));
  } else if (/^not ok \d+/.test(line)) {
    failed += 1;
    failing = true;
    console.log(line.replace(/^not ok \d+ - /, "  FAILED  "));
  } else if (failing || line.startsWith("#")) {
    console.log(line);
  }
}
const code = await new Promise<number>((resolve) => ava.on("close", (exit) => resolve(exit ?? 1)));
if (passed + failed === 0) failed = 1;
else if (code !== 0 && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 ? 0 : 1;
