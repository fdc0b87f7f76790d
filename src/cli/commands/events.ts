/** `mesarch events`: what changes, as it changes, across leaders. */
import { epochText, NO_EPOCH } from "../../base/epoch.ts";
import type { OperatorNews } from "../../sdk/index.ts";
import { clientCommand, withClient } from "../client.ts";
import type { Define } from "../commands.ts";
import { Exit, EXIT_INTERRUPTED } from "../exit-codes.ts";
import { stopSignal } from "../io.ts";
import { jsonLine } from "../render.ts";
import { agentRow, frameworkRow, taskRow } from "../views.ts";

export const define: Define = (command, io) => {
  clientCommand(command)
    .option("-f, --follow", "as without: events have no end")
    .option("--snapshot", "begin with the present tasks, agents and frameworks")
    .addHelpText("after", "\nWith -o json: one JSON object per line. After a failover the present state is told again.")
    .action((options: { snapshot?: boolean }) =>
      withClient(command, io, async (client) => {
        using stop = stopSignal(io);
        const machine = client.config.output === "json" || client.config.output === "yaml";
        try {
          for await (const news of client.operator.events({ snapshot: options.snapshot ?? false, signal: stop.signal })) {
            if (news.type === "connected" || news.type === "disconnected") {
              client.note(news.type === "connected" ? `following ${news.leader.name} at ${news.leader.address}` : `lost ${news.leader.name}: ${news.reason}`);
            } else io.stdout.write(`${machine ? jsonLine(record(news)) : line(news)}\n`);
          }
        } catch (error) {
          if (stop.signal.aborted) throw new Exit(EXIT_INTERRUPTED);
          throw error;
        }
      }),
    );
};

type Change = Exclude<OperatorNews, { type: "connected" | "disconnected" }>;

function record(news: Change): object {
  const at = { type: news.type, epoch: epochText(news.epoch), revision: news.revision };
  if (news.type === "task") return { ...at, task: taskRow(news.task) };
  if (news.type === "agent") return { ...at, agent: agentRow(news.agent) };
  if (news.type === "framework") return { ...at, framework: frameworkRow(news.framework) };
  return { ...at, leader: news.leader };
}

function line(news: Change): string {
  const at = `${String(news.revision).padStart(8)}  ${news.type.padEnd(9)}  `;
  if (news.type === "task") {
    const task = taskRow(news.task);
    return `${at}${task.id}  ${task.state}  on ${task.agentId}`;
  }
  if (news.type === "agent") {
    const agent = agentRow(news.agent);
    return `${at}${agent.id}  ${agent.state}  ${agent.hostname}`;
  }
  if (news.type === "framework") {
    const framework = frameworkRow(news.framework);
    return `${at}${framework.id}  ${framework.state}  ${framework.name}`;
  }
  const { leader } = news;
  return `${at}${leader.master}  epoch ${epochText(leader.epoch ?? NO_EPOCH)}  ${leader.cause}`;
}
