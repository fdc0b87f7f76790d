/** Declared options on the command line: flags and help from the declarations, values through the compiler. */
import { Option as Flag, type Command } from "commander";
import { compile, describe, type Compiled } from "../config/compile.ts";
import { envName, kebab, type Declarations, type Option, type Values } from "../config/declare.ts";
import { readConfigFile } from "../config/file.ts";
import { misspelledVariables } from "../config/variables.ts";
import { UsageError } from "../config/usage-error.ts";
import type { Io } from "./io.ts";

const SHORT: Readonly<Record<string, string>> = { output: "-o, " };

/** What beside flags may set a command's options. */
export interface OtherSources {
  /** Also a file, named by `--config`. */
  readonly file?: boolean;
  /** Only these may come from the environment; all, unless said. */
  readonly env?: readonly string[];
}

/** Adds one flag per declaration, and those of a file if there may be one. */
export function addOptions(command: Command, declarations: Declarations, { file = false, env }: OtherSources = {}): Command {
  for (const [key, option] of Object.entries(declarations)) {
    const flag = `--${kebab(key)}`;
    const text = describeOption(key, option, env === undefined || env.includes(key));
    if (option.kind === "switch") {
      command.addOption(new Flag(flag, text).helpGroup(`${option.group}:`));
      command.addOption(new Flag(`--no-${kebab(key)}`).hideHelp());
    } else {
      command.addOption(new Flag(`${SHORT[key] ?? ""}${flag} <${option.placeholder}>`, text).helpGroup(`${option.group}:`));
    }
  }
  if (file) {
    command.addOption(new Flag("--config <file>", "YAML or TOML file with these options (env MESARCH_CONFIG)").helpGroup("Configuration:"));
    command.addOption(new Flag("--show-config", "print every option with its value and where it comes from, and stop").helpGroup("Configuration:"));
  }
  return command;
}

function describeOption(key: string, option: Option<unknown>, fromEnvironment: boolean): string {
  const value = option.default == null ? "" : option.show(option.default);
  const facts = [...(value === "" ? [] : [`default ${value}`]), ...(fromEnvironment ? [`env ${envName(key)}`] : [])];
  return facts.length === 0 ? option.doc : `${option.doc} (${facts.join("; ")})`;
}

/** Compiles what was given to `command` and its parents. Throws `ConfigError` with every problem, or `UsageError`. */
export async function compileOptions<D extends Declarations>(
  command: Command,
  declarations: D,
  io: Io,
  check: (values: Values<D>) => readonly string[],
  { file = false, env }: OtherSources = {},
): Promise<Compiled<D>> {
  const flags = givenFlags(command);
  const path = (flags["config"] as string | undefined) ?? io.env["MESARCH_CONFIG"];
  const values = file && path !== undefined && path !== "" ? await readConfigFile(path) : undefined;
  if (env === undefined) return compile(declarations, { flags, env: io.env, file: values }, check);
  const fromEnvironment = Object.fromEntries(Object.entries(declarations).filter(([key]) => env.includes(key)));
  const variables = Object.fromEntries(env.map(envName).map((name) => [name, io.env[name]]));
  return compile(declarations, { flags, env: variables, file: values }, (config) => [
    ...misspelledVariables(fromEnvironment, io.env),
    ...check(config),
  ]);
}

/** True, and printed, when only the configuration was asked for. */
export function showConfig<D extends Declarations>(command: Command, declarations: D, compiled: Compiled<D>, io: Io): boolean {
  if (command.opts()["showConfig"] !== true) return false;
  io.stdout.write(`${describe(declarations, compiled).join("\n")}\n`);
  return true;
}

/** The nearest command's own flags win over those before it; those it does not have would be lost. */
function givenFlags(command: Command): Record<string, unknown> {
  const own = new Set(command.options.map((option) => option.attributeName()));
  let given = command.opts();
  for (let { parent } = command; parent !== null; parent = parent.parent) {
    const foreign = Object.keys(parent.opts()).find((key) => !own.has(key));
    if (foreign !== undefined) throw new UsageError(`${nameOf(command)} has no option --${kebab(foreign)}`);
    given = { ...parent.opts(), ...given };
  }
  return given;
}

/** With its parents: "mesarch task list". */
function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}
