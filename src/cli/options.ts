/** Declared options on the command line: flags and help from the declarations, values through the compiler. */
import { Option as Flag, type Command } from "commander";
import { compile, describe, type Compiled } from "../config/compile.ts";
import { envName, kebab, type Declarations, type Option, type Values } from "../config/declare.ts";
import { readConfigFile } from "../config/file.ts";
import type { Io } from "./io.ts";

const SHORT: Readonly<Record<string, string>> = { output: "-o, " };

/** Adds one flag per declaration, and `--config` if `withFile`. */
export function addOptions(command: Command, declarations: Declarations, withFile = false): Command {
  for (const [key, option] of Object.entries(declarations)) {
    const flag = `--${kebab(key)}`;
    const text = describeOption(key, option);
    if (option.kind === "switch") {
      command.addOption(new Flag(flag, text).helpGroup(`${option.group}:`));
      command.addOption(new Flag(`--no-${kebab(key)}`).hideHelp());
    } else {
      command.addOption(new Flag(`${SHORT[key] ?? ""}${flag} <${option.placeholder}>`, text).helpGroup(`${option.group}:`));
    }
  }
  if (withFile) {
    command.addOption(new Flag("--config <file>", "YAML or TOML file with these options (env MESARCH_CONFIG)").helpGroup("Configuration:"));
    command.addOption(new Flag("--show-config", "print every option with its value and where it comes from, and stop").helpGroup("Configuration:"));
  }
  return command;
}

function describeOption(key: string, option: Option<unknown>): string {
  const value = option.default == null ? undefined : option.show(option.default);
  const fallback = value === undefined || value === "" ? "" : `default ${value}; `;
  return `${option.doc} (${fallback}env ${envName(key)})`;
}

/** Compiles what was given to `command` and its parents. Throws `ConfigError` with every problem. */
export async function compileOptions<D extends Declarations>(
  command: Command,
  declarations: D,
  io: Io,
  check: (values: Values<D>) => readonly string[],
): Promise<Compiled<D>> {
  const flags = givenFlags(command);
  const path = (flags["config"] as string | undefined) ?? io.env["MESARCH_CONFIG"];
  const withFile = command.options.some(({ long }) => long === "--config");
  const file = withFile && path !== undefined && path !== "" ? await readConfigFile(path) : undefined;
  return compile(declarations, { flags, env: io.env, file }, check);
}

/** True, and printed, when only the configuration was asked for. */
export function showConfig<D extends Declarations>(command: Command, declarations: D, compiled: Compiled<D>, io: Io): boolean {
  if (command.opts()["showConfig"] !== true) return false;
  io.stdout.write(`${describe(declarations, compiled).join("\n")}\n`);
  return true;
}

/** The nearest command's own flags win over those before it. */
function givenFlags(command: Command): Record<string, unknown> {
  const parents = command.parent === null ? {} : givenFlags(command.parent);
  return { ...parents, ...command.opts() };
}
