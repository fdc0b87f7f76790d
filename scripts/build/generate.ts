/**
 * Generates `src/wire/gen` from `proto/`. With `--check` it generates into a temporary folder instead and fails
 * when the committed code differs.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "../..");
const committed = join(root, "src/wire/gen");
const fresh = mkdtempSync(join(tmpdir(), "mesarch-gen-"));
const env = { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"]}` };

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

try {
  // Mesos last: the generator also emits what our own packages import, in their style; its own style must win.
  for (const [template, path] of [["buf.gen.mesarch.yaml", "mesarch"], ["buf.gen.mesos.yaml", "mesos"]] as const) {
    execFileSync("buf", ["generate", "--template", template, "--path", path, "--output", fresh], {
      cwd: join(root, "proto"),
      env,
      stdio: "inherit",
    });
  }
  if (process.argv.includes("--check")) {
    const differing = [...new Set([...files(fresh), ...files(committed)])].filter((name) => {
      const [a, b] = [fresh, committed].map((folder) => {
        try {
          return readFileSync(join(folder, name), "utf8");
        } catch {
          return undefined;
        }
      });
      return a !== b;
    });
    if (differing.length > 0) {
      console.error(`src/wire/gen is not what proto/ generates; run: npm run generate\n  ${differing.join("\n  ")}`);
      process.exitCode = 1;
    }
  } else {
    rmSync(committed, { recursive: true, force: true });
    cpSync(fresh, committed, { recursive: true });
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
