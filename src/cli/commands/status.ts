/** `mesarch status`: the cluster on one screen. */
import { epochText, NO_EPOCH } from "../../base/epoch.ts";
import { clientOptions } from "../../config/client-options.ts";
import { formatBytes } from "../../config/units.ts";
import type { Status } from "../../sdk/index.ts";
import { clientCommand, withClient } from "../client.ts";
import { colors, type Colors } from "../color.ts";
import type { Define } from "../commands.ts";
import { Exit } from "../exit-codes.ts";
import { age } from "../render.ts";

export const define: Define = (command, io) => {
  clientCommand(command, clientOptions)
    .option("--stale", "let any master answer, from what it has folded so far")
    .addHelpText("after", "\nEnds with 5 when there is no leader or the cluster warns of something.")
    .action((options: { stale?: boolean }) =>
      withClient(command, io, async (client) => {
        const status = await client.operator.status({ allowStale: options.stale ?? false });
        const { output, color } = client.config;
        if (output === "json" || output === "yaml") await client.document({ kind: "Status", status });
        else io.stdout.write(screen(status, colors(color, io)));
        if (status.leader === "" || status.warnings.length > 0) throw new Exit(5);
      }),
    );
};

/** For people. */
export function screen(status: Status, pc: Colors): string {
  const leader =
    status.leader === ""
      ? pc.red("none")
      : `${pc.green(status.leader)} at ${status.leaderAddress}, epoch ${epochText(status.epoch ?? NO_EPOCH)}, for ${age(status.ledForMs)}`;
  const tasks = Object.entries(status.tasks)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state.replace(/^TASK_/, "").toLowerCase()}`);
  const used = status.storeQuotaBytes > 0 ? ` of ${size(status.storeQuotaBytes)}` : "";
  const lines: [string, string][] = [
    ["Cluster", status.clusterId],
    ["Leader", leader],
    ["Masters", `${status.masters}`],
    [
      "Agents",
      `${status.agentsIn} in, ${status.agentsConnected} connected, ${status.agentsConfirmed} confirmed, ${status.agentsUnreachable} unreachable`,
    ],
    ["Frameworks", `${status.frameworksActive} active, ${status.frameworksKnown} known`],
    ["Tasks", tasks.length === 0 ? "none" : tasks.join(", ")],
    ["Store", status.storeUsedBytes === 0 ? "size not known yet" : `${size(status.storeUsedBytes)}${used}`],
    ...status.warnings.map((warning): [string, string] => ["Warning", pc.yellow(warning)]),
  ];
  return lines.map(([name, value]) => `${pc.bold(name.padEnd(11))} ${value}\n`).join("");
}

function size(bytes: number): string {
  const unit = bytes >= 2 ** 30 ? 2 ** 30 : 2 ** 20;
  return formatBytes((Math.round((bytes / unit) * 10) / 10) * unit).replace(/(\.\d)\d+/, "$1");
}
