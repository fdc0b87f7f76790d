import { MesarchError } from "../base/errors.ts";
import type { RunCommand, RunSpec } from "../ports/containers.ts";

export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Names that some shell keeps to itself, and those that no shell can hold. */
const NOT_EXPORTABLE = new RegExp(
  "^(?:_|E?UID|PPID|GROUPS|SHELLOPTS|SHLVL|BASH.*|LINENO|OPTIND|S?RANDOM|SECONDS|EPOCH.*|HISTCMD|FUNCNAME|DIRSTACK" +
    "|[0-9].*|.*[^A-Za-z0-9_].*)$",
  "s",
);

/**
 * The shell script that turns its shell into the command: exports, then `exec`. It is read from standard input, after
 * the change of user, so that neither the environment's secrets nor its LD_PRELOAD reach anyone but the task.
 *
 * Variables that a shell cannot export (`a.b`, `UID`) go through `env`, where a process listing shows them for a
 * moment. Throws `invalid` for a NUL byte or a name that is empty or holds "=": no process can be given those.
 */
export function launchScript({ command, environment }: Pick<RunSpec, "command" | "environment">): string {
  const variables = Object.entries({ PATH: DEFAULT_PATH, ...environment });
  for (const [name] of variables) {
    if (name === "" || name.includes("=")) throw new MesarchError("invalid", `environment: bad name ${JSON.stringify(name)}`);
  }
  const exported = variables.filter(([name]) => !NOT_EXPORTABLE.test(name));
  const others = variables.filter(([name]) => NOT_EXPORTABLE.test(name));
  const words = [...(others.length > 0 ? ["/usr/bin/env", "--", ...others.map(assignment)] : []), ...commandWords(command)];
  const script = [...exported.map((variable) => `export ${quote(assignment(variable))}`), `exec ${words.map(quote).join(" ")} < /dev/null`];
  return `${script.join("\n")}\n`;
}

/** Program and arguments that make a shell reading a launch script: in a session of its own, as `user`, nothing inherited. */
export function launcher(user: string | undefined, groupId: number | undefined): string[] {
  const changeUser = user === undefined ? [] : ["setpriv", `--reuid=${user}`, `--regid=${groupId}`, "--init-groups"];
  // Shells start background jobs with INT and QUIT ignored and cannot undo it.
  return ["setsid", ...changeUser, "env", "-i", "--default-signal", "/bin/sh"];
}

function commandWords(command: RunCommand): string[] {
  if (command.shell) return ["/bin/sh", "-c", command.value];
  return [command.value, ...command.arguments.slice(1)];
}

function assignment([name, value]: [string, string]): string {
  return `${name}=${value}`;
}

function quote(word: string): string {
  if (word.includes("\0")) throw new MesarchError("invalid", "a command and its environment cannot hold NUL bytes");
  return `'${word.replaceAll("'", "'\\''")}'`;
}
