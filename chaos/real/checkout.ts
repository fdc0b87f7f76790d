/** The program as it is when a run begins: whoever edits or builds it meanwhile changes nothing of the run. */
import { cpSync, existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const COPIED = ["package.json", "src", "chaos", "scripts"];
/** Of what nobody changes in place. */
const LINKED = ["node_modules", ".tools"];

/** @param built the build, too. Returns the path of this file's neighbour `main.ts` in the copy. */
export function copyCheckout(into: string, built: boolean): string {
  for (const name of [...COPIED, ...(built ? ["dist"] : [])]) cpSync(join(ROOT, name), join(into, name), { recursive: true });
  for (const name of LINKED) if (existsSync(join(ROOT, name))) symlinkSync(join(ROOT, name), join(into, name));
  return join(into, "chaos/real/main.ts");
}
