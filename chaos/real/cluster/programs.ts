/** How the daemons are run: from the sources, or as they were built. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const root = join(import.meta.dirname, "../../..");
const real = join(root, "chaos/real");

export interface Program {
  /** node and its arguments, up to those of mesarch. */
  readonly command: readonly string[];
  /** The same with an informant within, which is told where to write by variables. */
  readonly watchedCommand: readonly string[];
  readonly watchedEnv: Readonly<Record<string, string>>;
}

/** Of all programs of node. */
export const nodeEnv: Readonly<Record<string, string>> = {
  // Many processes start, and most of a start is reading and compiling the same files.
  NODE_COMPILE_CACHE: join(root, "compile-cache"),
};

const QUIET = "--disable-warning=ExperimentalWarning";

/** @param checkout of this version, unless said otherwise. Throws where there is no build. */
export function mesarch(built: boolean, checkout = root): Program {
  const main = join(checkout, built ? "dist/src/cli/main.js" : "src/cli/main.ts");
  if (!existsSync(main)) throw new Error(`${main} is missing: npm run build`);
  const build = pathToFileURL(join(checkout, built ? "dist/src/" : "src/")).href;
  const preload = (name: string): string => `--import=${pathToFileURL(join(real, "actors", name)).href}`;
  const node = [process.execPath, QUIET, preload("collect-garbage.ts")];
  return {
    command: [...node, main],
    watchedCommand: [...node, preload("informant.ts"), main],
    watchedEnv: { CHAOS_BUILD: build },
  };
}

export const frameworkCommand: readonly string[] = [process.execPath, QUIET, join(real, "actors/framework.ts")];
export const herdCommand: readonly string[] = [process.execPath, QUIET, join(real, "actors/herd.ts")];
export const witnessScript = join(real, "actors/witness.sh");
/** What each of them is given. */
export const WITNESS_CPUS = 0.05;
