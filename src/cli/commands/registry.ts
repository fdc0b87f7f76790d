/** `mesarch registry`: the durable rows, for support and curiosity; and what is to be said after a restore of etcd. */
import { MesarchError } from "../../base/errors.ts";
import { connectionOptions } from "../../config/client-options.ts";
import { checkEtcd, etcdOptions } from "../../config/etcd-options.ts";
import { UsageError } from "../../config/usage-error.ts";
import { clientCommand, withClient } from "../client.ts";
import type { Define } from "../commands.ts";
import { addOptions, compileOptions } from "../options.ts";

const KINDS = "f frameworks, a agents, t tasks, h history, l leaders, w weights";

export const define: Define = (command, io) => {
  const dump = command.command("dump").description("every row of the registry as one line of JSON");
  clientCommand(dump, connectionOptions)
    .option("--kind <letters>", `only rows of these kinds, for example a,t: ${KINDS}`)
    .option("--stale", "let any master answer, from what it has folded so far")
    .action((options: { kind?: string; stale?: boolean }) =>
      withClient(dump, io, async ({ operator }) => {
        const kinds = (options.kind ?? "").split(",").map((kind) => kind.trim()).filter((kind) => kind !== "");
        for await (const { key, json } of operator.registry({ kinds, allowStale: options.stale ?? false })) {
          io.stdout.write(`{"key":${JSON.stringify(key)},"value":${json === "" ? "null" : json}}\n`);
        }
      }),
    );

  const restore = command
    .command("restore")
    .description("after etcd was restored from a backup, with all masters stopped: raise the generation, so that agents obey");
  addOptions(restore, etcdOptions)
    .option("--empty", "there is no backup: begin empty, and adopt everything from the agents")
    .option("--cluster <id>", "with --empty: the id of the cluster that the agents know")
    .option("-y, --yes", "do it; without this the command only says what it would do")
    .action(async (given: { empty?: boolean; cluster?: string; yes?: boolean }) => {
      const { values } = await compileOptions(restore, etcdOptions, io, checkEtcd);
      if ((given.empty === true) !== (given.cluster !== undefined)) throw new UsageError("--empty and --cluster go together");
      if (given.yes !== true) {
        throw new MesarchError("invalid", `the registry at ${values.etcdEndpoints.join(", ")} would get a new generation`, {
          remedy: "Stop all masters first. To do it, add --yes.",
        });
      }
      io.stdout.write(`generation ${await restoreNow(values, given.cluster)}; start the masters now\n`);
    });
};

const TIMEOUT_MS = 10_000;

async function restoreNow(config: Parameters<typeof checkEtcd>[0], emptyClusterId: string | undefined): Promise<number> {
  const [{ connectForRestore }, { etcdAccess }, { restoreRegistry }] = await Promise.all([modules.etcd(), modules.access(), modules.restore()]);
  await using port = connectForRestore(await etcdAccess(config));
  const options = { nowSeconds: Math.floor(Date.now() / 1000), ...(emptyClusterId === undefined ? {} : { emptyClusterId }) };
  return await restoreRegistry(port, options, AbortSignal.timeout(TIMEOUT_MS));
}

/** Loaded only when needed. */
const modules = {
  etcd: () => import("../../etcd/restore.ts"),
  access: () => import("../etcd-access.ts"),
  restore: () => import("../restore-registry.ts"),
};
