/** `mesarch master`: runs a master. `mesarch master list`: who is there. */
import { checkMaster, masterOptions } from "../../config/master-options.ts";
import { clientCommand, withClient } from "../client.ts";
import type { Define } from "../commands.ts";
import { stopSignal } from "../io.ts";
import { addOptions, compileOptions, showConfig } from "../options.ts";
import { masters } from "../views.ts";

/** Loaded only to run one: the client commands start without it. */
const daemon = () => import("../run-master.ts");

const sources = { file: true };

export const define: Define = (command, io) => {
  addOptions(command, masterOptions, sources)
    .addHelpText("after", "\nSIGTERM and SIGINT hand leadership over and end the process; no task is touched.")
    .action(async () => {
      const compiled = await compileOptions(command, masterOptions, io, checkMaster, sources);
      if (showConfig(command, masterOptions, compiled, io)) return;
      using stop = stopSignal(io);
      await (await daemon()).runMaster(compiled.values, stop.signal);
    });
  const list = command.command("list").description("masters, what they do, and how far behind they are");
  clientCommand(list).action(() =>
    withClient(list, io, async (client) => client.list(masters, await client.operator.masters({ allowStale: true }))),
  );
};
