/** The `mesarch` command: picks one command, loads it, runs it, and turns what it throws into a message and an exit code. */
import { Command, CommanderError } from "commander";
import { errorChain } from "../base/errors.ts";
import { clientOptions, connectionOptions } from "../config/client-options.ts";
import { suggestion } from "../config/suggest.ts";
import { commands, type CommandEntry } from "./commands.ts";
import { Exit, EXIT_USAGE, exitCodeOf, exitCodes, explain } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { addOptions } from "./options.ts";
import { version } from "./version.ts";

/** Runs one command line (without the program's name) and resolves with the exit code. Never rejects. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  try {
    const program = newProgram(io);
    const wanted = firstWord(args);
    for (const entry of commands) {
      const command = addCommand(program, entry);
      if (entry.name === wanted) (await entry.load()).define(command, io);
    }
    addHelp(program, io);
    inherit(program);
    if (wanted !== undefined && wanted !== "help" && !commands.some(({ name }) => name === wanted)) {
      const hint = suggestion(wanted, commands.map(({ name }) => name));
      io.stderr.write(`error: there is no command "${wanted}"${hint}\nSee: mesarch --help\n`);
      return EXIT_USAGE;
    }
    if (args.length === 0) {
      program.outputHelp();
      return EXIT_USAGE;
    }
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof Exit) return error.code;
    // commander has said what is wrong already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    io.stderr.write(`${explain(error, errorChain(error))}\n`);
    if (io.env["MESARCH_DEBUG"] !== undefined && error instanceof Error) io.stderr.write(`${error.stack}\n`);
    return exitCodeOf(error);
  }
}

function newProgram(io: Io): Command {
  const program = new Command("mesarch");
  program
    .description("A cluster master you can lose.")
    .version(version(), "-V, --version", "print the version")
    .enablePositionalOptions()
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => 110,
      getErrHelpWidth: () => 110,
    });
  addOptions(program, connectionOptions);
  // Before the command they are heeded by those that have them.
  for (const option of addOptions(new Command(), { output: clientOptions.output, color: clientOptions.color }).options) {
    program.addOption(option.hideHelp());
  }
  program.addHelpText(
    "after",
    `
Try it:
  mesarch dev                                   a cluster of your own, on this machine
  mesarch run --name hello -- sh -c 'date; sleep 60'
  mesarch status

More: mesarch help <command>, mesarch help exit-codes, mesarch help environment`,
  );
  return program;
}

function addCommand(program: Command, { name, summary, group }: CommandEntry): Command {
  return program.command(name).description(summary).helpGroup(group);
}

/** Settings that commander does not hand down to commands made before they were set. */
function inherit(command: Command): void {
  if (command.parent !== null) command.copyInheritedSettings(command.parent);
  command.exitOverride().helpCommand(false);
  for (const child of command.commands) inherit(child);
}

function addHelp(program: Command, io: Io): void {
  program
    .command("help [topic...]")
    .description("help for a command; topics: exit-codes, environment")
    .helpGroup("Help:")
    .action(async (topic: string[]) => {
      const [first] = topic;
      if (first === "exit-codes") {
        const lines = exitCodes.map(([code, meaning]) => `${code.padStart(5)}  ${meaning}\n`);
        io.stdout.write(`Exit codes of mesarch:\n${lines.join("")}`);
      } else if (first === "environment") {
        io.stdout.write(ENVIRONMENT);
      } else {
        const code = await runCli([...topic, "--help"], io);
        if (code !== 0) throw new Exit(code);
      }
    });
}

const ENVIRONMENT = `Options can be given as MESARCH_ and their name in capitals, with "_" for "-", where their help names the variable:
--lease-ttl of mesarch master is MESARCH_LEASE_TTL. A flag comes before the environment, the environment before a file
(--config, MESARCH_CONFIG; of mesarch master and mesarch agent), a file before the default.
A variable that is nearly an option is refused, with the option that was meant; others under MESARCH_ are not looked at.

  MESARCH_MASTERS   masters to talk to, as host:port,host:port
  MESARCH_CONFIG    configuration file of mesarch master and mesarch agent
  MESARCH_ETCD      etcd program for mesarch dev; otherwise the first on PATH
  MESARCH_DEBUG     set: errors come with their stack
  NO_COLOR          set: no colours
`;

/** The command's name: the first word that is neither a flag nor a flag's value. */
function firstWord(args: readonly string[]): string | undefined {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!arg.startsWith("-")) return arg;
    const takesValue = arg === "-o" || Object.keys(clientOptions).some((key) => arg === `--${key}`);
    if (takesValue) i++;
  }
  return undefined;
}
