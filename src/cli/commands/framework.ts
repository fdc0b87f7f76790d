/** `mesarch framework`: list, teardown. */
import { MesarchError } from "../../base/errors.ts";
import { clientCommand, withClient } from "../client.ts";
import type { Define } from "../commands.ts";
import { frameworkRow, frameworks } from "../views.ts";

export const define: Define = (command, io) => {
  const list = command.command("list").description("frameworks and what they use");
  clientCommand(list).action(() =>
    withClient(list, io, async (client) => client.list(frameworks, (await client.operator.frameworks()).map(frameworkRow))),
  );
  const teardown = command.command("teardown <id>").description("remove a framework for good and end its tasks");
  clientCommand(teardown)
    .option("-y, --yes", "do it; without this the command only says what it would do")
    .action((id: string, options: { yes?: boolean }) =>
      withClient(teardown, io, async (client) => {
        const found = (await client.operator.frameworks()).map(frameworkRow).filter((row) => row.id.startsWith(id));
        const [framework] = found.filter((row) => row.id === id).concat(found.length === 1 ? found : []);
        if (framework === undefined) {
          const many = found.length > 1 ? `"${id}" may be any of ${found.map((row) => row.id).join(", ")}` : `there is no framework "${id}"`;
          throw new MesarchError(found.length > 1 ? "invalid" : "not_found", many, { remedy: "See: mesarch framework list" });
        }
        if (options.yes !== true) {
          throw new MesarchError("invalid", `framework ${framework.name} (${framework.id}) would be removed and its ${framework.tasks} tasks ended`, {
            remedy: "To do it, add --yes.",
          });
        }
        await client.done("teardown", framework.id, (await client.operator.teardownFramework(framework.id)) || `${framework.id} is removed`);
      }),
    );
};
