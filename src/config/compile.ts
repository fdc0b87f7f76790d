/** From raw values to one checked configuration, once: flag over environment over file over default. */
import { MesarchError } from "../base/errors.ts";
import { envName, kebab, type Declarations, type RawValue, type Values } from "./declare.ts";
import { suggestion } from "./suggest.ts";
import { misspelledVariables } from "./variables.ts";

export interface ConfigFile {
  readonly path: string;
  /** As parsed: keys as written. */
  readonly values: Readonly<Record<string, RawValue>>;
}

export interface Sources {
  /** Values given as flags, by declared key. */
  readonly flags?: Readonly<Record<string, RawValue>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly file?: ConfigFile | undefined;
}

/** "flag --port", "environment MESARCH_PORT", "file /etc/mesarch.yaml", "default". */
export type Origin = string;

export interface Compiled<D extends Declarations> {
  readonly values: Values<D>;
  readonly origins: { readonly [K in keyof D]: Origin };
}

/** Every problem of a configuration, one line each. */
export class ConfigError extends MesarchError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const lines = problems.map((problem) => `  ${problem}`).join("\n");
    super("invalid", `the configuration has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:\n${lines}`, {
      remedy: "Options, units and defaults: add --help.",
    });
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/**
 * Reads and checks everything. `check` looks at the values together and returns what contradicts; it is asked even when
 * single values are wrong (those then have their defaults), so that all is said at once.
 *
 * Throws `ConfigError` with every problem, each with its origin.
 */
export function compile<D extends Declarations>(
  declarations: D,
  sources: Sources,
  check: (values: Values<D>) => readonly string[] = () => [],
): Compiled<D> {
  const problems = [...unknownKeys(declarations, sources.file), ...misspelledVariables(declarations, sources.env ?? {})];
  const values: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  for (const [key, option] of Object.entries(declarations)) {
    const found = find(key, sources);
    values[key] = option.default;
    origins[key] = found?.origin ?? "default";
    if (found === undefined) continue;
    const read = option.read(found.raw);
    if ("problem" in read) problems.push(`${kebab(key)}: ${read.problem} (${found.origin})`);
    else values[key] = read.value;
  }
  problems.push(...check(values as Values<D>));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze({ values: Object.freeze(values) as Values<D>, origins: origins as Compiled<D>["origins"] });
}

function find(key: string, { flags = {}, env = {}, file }: Sources): { raw: RawValue; origin: Origin } | undefined {
  if (flags[key] !== undefined) return { raw: flags[key], origin: `flag --${kebab(key)}` };
  const variable = envName(key);
  // An empty variable is how a unit file says "not set".
  if (env[variable] !== undefined && env[variable] !== "") return { raw: env[variable], origin: `environment ${variable}` };
  const raw = file?.values[kebab(key)];
  return raw === undefined || raw === null ? undefined : { raw, origin: `file ${file!.path}` };
}

function unknownKeys(declarations: Declarations, file: ConfigFile | undefined): string[] {
  const known = Object.keys(declarations).map(kebab);
  return Object.keys(file?.values ?? {})
    .filter((key) => !known.includes(key))
    .map((key) => `${key}: there is no such option${suggestion(key, known)} (file ${file!.path})`);
}

/** One line per option, `name = value  # origin`: for `--show-config` and for the log at start. */
export function describe<D extends Declarations>(declarations: D, { values, origins }: Compiled<D>): string[] {
  return Object.entries(declarations).map(([key, option]) => {
    const value: unknown = values[key];
    return `${kebab(key)} = ${value === undefined ? "(none)" : option.show(value as never)}  # ${origins[key]}`;
  });
}
