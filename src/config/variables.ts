/** The environment as a whole: variables that look like options and are none. */
import { agentOptions } from "./agent-options.ts";
import { clientOptions } from "./client-options.ts";
import { envName, type Declarations } from "./declare.ts";
import { masterOptions } from "./master-options.ts";
import { nearest } from "./suggest.ts";

const PREFIX = "MESARCH_";

/** Read by programs of ours elsewhere than through declared options. */
const UNDECLARED = ["MESARCH_CONFIG", "MESARCH_DEBUG", "MESARCH_ETCD"];

const declared = [masterOptions, agentOptions, clientOptions].flatMap((options) => Object.keys(options).map(envName));

/** What any command knows: set for others, it is no mistake here. */
const everywhere: ReadonlySet<string> = new Set([...declared, ...UNDECLARED]);

/**
 * A line for each variable that nobody knows and that is nearly an option of `declarations`. Others under our prefix are
 * let be: the surroundings make some (`MESARCH_SERVICE_HOST`, for a service called mesarch in Kubernetes).
 */
export function misspelledVariables(declarations: Declarations, env: Readonly<Record<string, string | undefined>>): string[] {
  const known = [...Object.keys(declarations).map(envName), ...UNDECLARED];
  return Object.entries(env).flatMap(([name, value]) => {
    if (!name.startsWith(PREFIX) || value === undefined || value === "" || everywhere.has(name) || known.includes(name)) return [];
    // Without the prefix, which would make everything under it alike.
    const near = nearest(name.slice(PREFIX.length), known.map((each) => each.slice(PREFIX.length)));
    return near === undefined ? [] : [`${name}: there is no such option (did you mean ${PREFIX}${near}?) (environment)`];
  });
}
