/** `mesarch agent`: runs an agent. Its subcommands: what the cluster knows of agents. */
import { agentOptions, checkAgent } from "../../config/agent-options.ts";
import { MesarchError } from "../../base/errors.ts";
import { clientCommand, withClient, type Client } from "../client.ts";
import type { Define } from "../commands.ts";
import { stopSignal } from "../io.ts";
import { addOptions, compileOptions, showConfig } from "../options.ts";
import { agentRow, agents } from "../views.ts";

/** Loaded only to run one: the client commands start without it. */
const daemon = () => import("../run-agent.ts");

const sources = { file: true };

export const define: Define = (command, io) => {
  addOptions(command, agentOptions, sources)
    .addHelpText("after", "\nSIGTERM and SIGINT end the agent; its tasks go on and are found again at the next start.")
    .action(async () => {
      const compiled = await compileOptions(command, agentOptions, io, checkAgent, sources);
      if (showConfig(command, agentOptions, compiled, io)) return;
      using stop = stopSignal(io);
      await (await daemon()).runAgent(compiled.values, stop.signal);
    });

  const list = command.command("list").description("agents, what they have and what is used of it");
  clientCommand(list).action(() =>
    withClient(list, io, async (client) => client.list(agents, (await client.operator.agents()).map(agentRow))),
  );

  for (const [name, active, doc] of [
    ["deactivate", false, "give an agent no more tasks; those it has go on"],
    ["activate", true, "give an agent tasks again"],
  ] as const) {
    const change = command.command(`${name} <id>`).description(doc);
    clientCommand(change).action((id: string) =>
      withClient(change, io, async (client) => {
        const agentId = await fullId(client, id);
        await client.done(name, agentId, (await client.operator.setAgentActive(agentId, active)) || `${agentId}: ${name}d`);
      }),
    );
  }

  const gone = command.command("gone <id>").description("declare an agent gone for good: its tasks count as ended");
  clientCommand(gone)
    .option("-y, --yes", "do it; without this the command only says what it would do")
    .action((id: string, options: { yes?: boolean }) =>
      withClient(gone, io, async (client) => {
        const agentId = await fullId(client, id);
        if (options.yes !== true) {
          throw new MesarchError("invalid", `agent ${agentId} would be gone for good, and its tasks reported as ended`, {
            remedy: "Only for hosts that never come back. To do it, add --yes.",
          });
        }
        await client.done("gone", agentId, (await client.operator.markAgentGone(agentId)) || `${agentId} is gone`);
      }),
    );
};

/** Agents may be named by a unique prefix or by their host. */
async function fullId({ operator }: Client, id: string): Promise<string> {
  const all = (await operator.agents()).map(agentRow);
  const exact = all.filter((agent) => agent.id === id);
  const found = exact.length > 0 ? exact : all.filter((agent) => agent.id.startsWith(id) || agent.hostname === id);
  if (found.length === 1) return found[0]!.id;
  if (found.length === 0) throw new MesarchError("not_found", `there is no agent "${id}"`, { remedy: "See: mesarch agent list" });
  throw new MesarchError("invalid", `"${id}" may be any of ${found.map((agent) => agent.id).join(", ")}`);
}
