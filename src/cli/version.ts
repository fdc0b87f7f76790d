/** The version of this package. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Found by walking up: sources and build lie at different depths. */
export function version(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file)) return (JSON.parse(readFileSync(file, "utf8")) as { version?: string }).version ?? "unknown";
    if (dirname(folder) === folder) return "unknown";
  }
}
