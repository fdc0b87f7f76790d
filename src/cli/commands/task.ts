/** `mesarch task`: list, inspect, kill, logs. */
import { connectionOptions } from "../../config/client-options.ts";
import { parseBytes, parseDuration } from "../../config/units.ts";
import { UsageError } from "../../config/usage-error.ts";
import { clientCommand, parseLimit, withClient } from "../client.ts";
import type { Define } from "../commands.ts";
import { Exit, EXIT_INTERRUPTED } from "../exit-codes.ts";
import { stopSignal } from "../io.ts";
import { taskRow, tasks } from "../views.ts";

export const define: Define = (command, io) => {
  const list = command.command("list").description("tasks, newest first");
  clientCommand(list)
    .option("-a, --all", "also those that have finished")
    .option("--framework <id>", "only of this framework")
    .option("--agent <id>", "only on this agent")
    .option("--limit <n>", "at most this many (default 1000)")
    .action((options: { all?: boolean; framework?: string; agent?: string; limit?: string }) =>
      withClient(list, io, async (client) => {
        const { tasks: found, truncated } = await client.operator.tasks({
          frameworkId: options.framework ?? "",
          agentId: options.agent ?? "",
          finished: options.all ?? false,
          limit: parseLimit(options.limit),
        });
        await client.list(tasks, found.map(taskRow));
        if (truncated) client.note(`more tasks match than these ${found.length}: raise --limit, or narrow with --framework or --agent`);
      }),
    );

  const inspect = command.command("inspect <id>").description("everything known of a task, by its id, its launch id or a unique prefix");
  clientCommand(inspect).action((id: string) =>
    withClient(inspect, io, async (client) => {
      const task = await client.operator.task(id);
      await client.document({ kind: "Task", ...taskRow(task), record: task.record });
    }),
  );

  const kill = command.command("kill <id>").description("end a task: TERM, then KILL after its grace");
  clientCommand(kill)
    .option("--grace <duration>", "between TERM and KILL, for example 10s (default: the task's own)")
    .action((id: string, options: { grace?: string }) =>
      withClient(kill, io, async (client) => {
        const graceMs = options.grace === undefined ? undefined : parseDuration(options.grace);
        if (options.grace !== undefined && graceMs === undefined) throw new UsageError(`"${options.grace}" is not a duration, like 10s`);
        const said = await client.operator.killTask(id, graceMs === undefined ? {} : { graceMs });
        await client.done("kill", id, said || `${id}: the order to end it is durable`);
      }),
    );

  const logs = command.command("logs <id>").description("a task's output; goes on when agent or master come back");
  clientCommand(logs, connectionOptions)
    .option("-f, --follow", "go on until the task has ended")
    .option("--stderr", "standard error instead of standard output")
    .option("--tail <size>", "only the last so many bytes, for example 4KiB")
    .action((id: string, options: { follow?: boolean; stderr?: boolean; tail?: string }) =>
      withClient(logs, io, async (client) => {
        const tail = options.tail === undefined ? 0 : parseBytes(options.tail);
        if (tail === undefined) throw new UsageError(`"${options.tail}" is not a size, like 4KiB`);
        using stop = stopSignal(io);
        const stream = options.stderr === true ? "stderr" : "stdout";
        const parts = client.operator.logs(id, { stream, offset: -tail, follow: options.follow ?? false, signal: stop.signal });
        try {
          for await (const { data, rotated } of parts) {
            if (rotated) client.note("(the log was rotated; some output may be missing)");
            io.stdout.write(data);
          }
        } catch (error) {
          throw stop.signal.aborted ? new Exit(EXIT_INTERRUPTED) : error;
        }
      }),
    );
};
