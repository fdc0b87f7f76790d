/** `mesarch registry dump`: the durable rows, for support and curiosity. */
import { clientCommand, withClient } from "../client.ts";
import type { Define } from "../commands.ts";

const KINDS = "f frameworks, a agents, t tasks, h history, l leaders, w weights";

export const define: Define = (command, io) => {
  const dump = command.command("dump").description("every row of the registry as one line of JSON");
  clientCommand(dump)
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
};
