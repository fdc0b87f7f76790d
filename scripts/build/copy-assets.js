/** Copies what the compiler does not: scripts and other files that programs in `dist` read at run time. */
import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "../..");
const assets = ["src/containers/monitor.sh"];

for (const asset of assets) {
  const target = join(root, "dist", asset);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(root, asset), target);
}
chmodSync(join(root, "dist/src/cli/main.js"), 0o755);
