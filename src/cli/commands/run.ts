/** `mesarch run`: a command on the cluster, as if it ran here. */
import type { Command } from "commander";
import { MesarchError } from "../../base/errors.ts";
import { checkClient, connectionOptions } from "../../config/client-options.ts";
import { decimal, integer, text, type Values } from "../../config/declare.ts";
import { UsageError } from "../../config/usage-error.ts";
import { parseConstraint } from "../../model/constraints.ts";
import { connectScheduler, OperatorClient, type SchedulerSession } from "../../sdk/index.ts";
import type { Define } from "../commands.ts";
import { Exit, EXIT_INTERRUPTED } from "../exit-codes.ts";
import type { Io } from "../io.ts";
import { addOptions, compileOptions } from "../options.ts";
import { Job } from "../run/job.ts";
import { PrefixedOutput } from "../run/output.ts";

const task = "The task";

const runOptions = {
  ...connectionOptions,
  name: text({ doc: "Name of the task and of its framework", default: "run", group: task }),
  cpus: decimal({ doc: "Cores", default: 0.1, min: 0, group: task }),
  mem: decimal({ doc: "MiB of memory", default: 32, min: 0, group: task }),
  disk: decimal({ doc: "MiB of disk", default: 0, min: 0, group: task }),
  gpus: integer({ doc: "GPUs", default: 0, min: 0, group: task }),
  role: text({ doc: "Role whose offers are used", default: "*", group: task }),
  user: text({ doc: "Account that runs it; default: yours", group: task }),
  instances: integer({ doc: "How many of it", default: 1, min: 1, max: 10_000, group: task }),
};

type RunConfig = Values<typeof runOptions>;

/** Only the connection comes from the environment: MESARCH_NAME and MESARCH_USER belong to daemons. */
const sources = { env: Object.keys(connectionOptions) };

/** Tasks of an attached run end with their framework this long after the command was lost. */
const ATTACHED_FAILOVER_SECONDS = 60;
const DETACHED_FAILOVER_SECONDS = 10 * 365 * 24 * 3600;

const repeatable = (value: string, before: string[] = []): string[] => [...before, value];

export const define: Define = (command, io) => {
  addOptions(command.argument("<command...>", "one word: a line for /bin/sh; several: a program and its arguments"), runOptions, sources)
    .option("--env <NAME=value>", "environment of the task; may be repeated", repeatable)
    .option("--constraint <field:OP:value>", "where it may run, for example rack:EQUALS:r1; EQUALS, LIKE, UNLIKE, IS; may be repeated", repeatable)
    .option("-d, --detach", "leave it running, and print the ids")
    .option("-q, --quiet", "no progress on standard error")
    .passThroughOptions()
    .addHelpText(
      "after",
      `
Ctrl-C ends the tasks; twice: at once. The exit code is the task's own, the largest of several.

  mesarch run -- echo hello
  mesarch run --cpus 1 --mem 256 --instances 3 --name worker -- ./worker --queue q1
  mesarch run 'echo start; sleep 60; echo end'`,
    )
    .action((words: string[], flags: RunFlags) => run(command, words, flags, io));
};

interface RunFlags {
  readonly env?: string[];
  readonly constraint?: string[];
  readonly detach?: boolean;
  readonly quiet?: boolean;
}

async function run(command: Command, words: string[], flags: RunFlags, io: Io): Promise<void> {
  const { values: config } = await compileOptions(command, runOptions, io, checkClient, sources);
  const constraints = (flags.constraint ?? []).map((constraint) => {
    const parsed = parseConstraint(constraint);
    if (!parsed.ok) throw new UsageError(`--constraint ${constraint}: ${parsed.error}`);
    return parsed.value;
  });
  const env = environment(flags.env);
  const note = (line: string): void => void (flags.quiet !== true && io.stderr.write(`${line}\n`));
  const session = await connectScheduler({
    masters: config.masters,
    connectTimeoutMs: config.timeout,
    framework: {
      name: config.name,
      roles: [config.role],
      failoverTimeoutSeconds: flags.detach === true ? DETACHED_FAILOVER_SECONDS : ATTACHED_FAILOVER_SECONDS,
      ...(config.gpus > 0 && { capabilities: ["GPU_RESOURCES"] as const }),
      ...(config.user !== undefined && { user: config.user }),
    },
  });
  using operator = new OperatorClient({ masters: config.masters, timeoutMs: config.timeout });
  const { name, cpus, mem, disk, gpus } = config;
  const job = new Job(session, {
    instances: config.instances,
    task: { name, cpus, mem, disk, gpus, command: words.length === 1 ? words[0]! : words, env },
    constraints,
    note,
    onOutput: async (taskId, label) => {
      if (flags.detach !== true) await copyOutput(operator, taskId, config.instances > 1 ? `${label} | ` : "", io, note);
    },
  });
  if (flags.detach === true) await detach(session, job, config, io);
  else await attach(session, job, io, note);
}

/** Stays until every instance has ended. */
async function attach(session: SchedulerSession, job: Job, io: Io, note: (line: string) => void): Promise<void> {
  let interrupted: number | undefined;
  const leave = (): Promise<void> => session.teardown({ timeoutMs: 10_000 }).catch(() => session.close({ timeoutMs: 0 }));
  const release = io.onStop((signal) => {
    if (interrupted !== undefined) return void leave();
    interrupted = signal === "SIGINT" ? EXIT_INTERRUPTED : 143;
    note("ending the tasks; once more to leave at once");
    job.kill();
    if (job.finished) void leave();
  });
  job.onEnd = () => (job.finished || job.failure !== undefined) && void leave();
  try {
    for await (const event of session.events) job.handle(event);
  } finally {
    release();
    await leave();
  }
  if (interrupted === undefined && job.failure !== undefined) throw job.failure;
  const code = interrupted ?? job.exitCode;
  if (code !== 0) throw new Exit(code);
}

/** Stays until every instance has shown itself, then leaves them to the cluster. */
async function detach(session: SchedulerSession, job: Job, config: RunConfig, io: Io): Promise<void> {
  const release = io.onStop(() => void session.close({ timeoutMs: 0 }));
  job.onEnd = () => job.failure !== undefined && void session.close({ timeoutMs: 0 });
  try {
    for await (const event of session.events) {
      job.handle(event);
      if (job.placed) break;
    }
    await job.settled();
  } finally {
    release();
    await session.close();
  }
  if (!job.placed) {
    throw new MesarchError("cancelled", `${config.name} was not placed yet`, {
      remedy: `Remove what there is with: mesarch framework teardown ${session.frameworkId} --yes`,
    });
  }
  io.stdout.write(`framework ${session.frameworkId}\n${job.taskIds.map((id) => `task ${id}\n`).join("")}`);
}

async function copyOutput(operator: OperatorClient, taskId: string, prefix: string, io: Io, note: (line: string) => void): Promise<void> {
  const copy = async (stream: "stdout" | "stderr"): Promise<void> => {
    const sink = io[stream];
    const lines = prefix === "" ? undefined : new PrefixedOutput(sink, prefix);
    for await (const { data, rotated } of operator.logs(taskId, { stream, follow: true })) {
      if (rotated) note(`${taskId}: ${stream} was rotated; some output may be missing`);
      if (lines === undefined) sink.write(data);
      else lines.write(data);
    }
    lines?.end();
  };
  const failed = (error: unknown): void => note(`${taskId}: its output cannot be read: ${(error as Error).message}`);
  await Promise.all([copy("stdout").catch(failed), copy("stderr").catch(failed)]);
}

function environment(pairs: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
      if (name === undefined) throw new UsageError(`--env ${pair} is not of the form NAME=value`);
      return [name, value ?? ""];
    }),
  );
}
