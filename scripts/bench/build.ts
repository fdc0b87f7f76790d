/** The compiled tree that the benchmark's processes run from, made anew when the sources are newer. */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** `MESARCH_BENCH_BUILD` names a compiled tree to be taken as it is. */
export function compiledTree(progress: (text: string) => void): string {
  const given = process.env["MESARCH_BENCH_BUILD"];
  if (given !== undefined && given !== "") return given;
  const tree = join(root, "dist");
  const stamp = join(tree, "scripts/bench/main.js");
  const sources = ["src", "scripts"].flatMap((folder) => globSync(join(root, folder, "**/*.{ts,sh}")));
  const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  if (existsSync(stamp) && statSync(stamp).mtimeMs > newest) return tree;
  progress("compiling");
  const { status } = spawnSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error("the sources do not compile");
  return tree;
}
