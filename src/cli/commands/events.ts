/** `mesarch events`: what is there, or what changes, as it changes, across leaders. */
import { epochText, NO_EPOCH } from "../../base/epoch.ts";
import type { OperatorNews } from "../../sdk/index.ts";
import { clientCommand, withClient, type Client } from "../client.ts";
import type { Define } from "../commands.ts";
import { Exit, EXIT_INTERRUPTED } from "../exit-codes.ts";
import { stopSignal } from "../io.ts";
import { jsonLine, renderDocument } from "../render.ts";
import { agentRow, frameworkRow, taskRow } from "../views.ts";

const MAX_TASKS = 100_000;

export const define: Define = (command, io) => {
  clientCommand(command)
    .option("-f, --follow", "what changes, as it becomes durable, until Ctrl-C")
    .option("--snapshot", "with --follow: begin with the present agents, frameworks and tasks")
    .addHelpText("after", "\nWithout --follow: what is there now. With -o json: one JSON object per line. After a failover the present is told again.")
    .action(({ follow = false, snapshot = false }: { follow?: boolean; snapshot?: boolean }) =>
      withClient(command, io, async (client) => {
        const print = printer(client);
        if (follow) await followChanges(client, snapshot, print);
        else for await (const change of present(client)) await print(change);
      }),
    );
};

type Print = (change: Change) => Promise<void>;

function printer({ config, io }: Client): Print {
  const { output } = config;
  return async (change) => {
    if (output === "yaml") io.stdout.write(`---\n${await renderDocument(record(change), output)}`);
    else io.stdout.write(`${output === "json" ? jsonLine(record(change)) : line(change)}\n`);
  };
}

/** Everything there is, as if it had just changed. */
async function* present({ operator, note }: Client): AsyncGenerator<Change> {
  const { epoch = NO_EPOCH, revision } = await operator.call({ $case: "getStatus", value: {} });
  const at = { epoch, revision };
  const [leader] = await operator.leaderHistory({ limit: 1 });
  if (leader !== undefined) yield { ...at, type: "leader", leader };
  for (const agent of await operator.agents()) yield { ...at, type: "agent", agent };
  for (const framework of await operator.frameworks()) yield { ...at, type: "framework", framework };
  const { tasks, truncated } = await operator.tasks({ limit: MAX_TASKS });
  for (const task of tasks) yield { ...at, type: "task", task };
  if (truncated) note(`there are more tasks than these ${tasks.length}, the newest`);
}

async function followChanges(client: Client, snapshot: boolean, print: Print): Promise<void> {
  const { operator, io, note } = client;
  using stop = stopSignal(io);
  try {
    // Waiting for the first leader ends with --timeout; once connected, the next one is waited for without end.
    const first = await operator.nextLeader(undefined, { signal: stop.signal });
    note(`following ${first.name} at ${first.address}`);
    for await (const news of operator.events({ snapshot, signal: stop.signal })) {
      if (news.type === "disconnected") note(`lost ${news.leader.name}: ${news.reason}`);
      else if (news.type !== "connected") await print(news);
      else if (news.resumed) note(`following ${news.leader.name} at ${news.leader.address}`);
    }
  } catch (error) {
    throw stop.signal.aborted ? new Exit(EXIT_INTERRUPTED) : error;
  }
}

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
