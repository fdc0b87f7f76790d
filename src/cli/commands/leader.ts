/** `mesarch leader`: history, step-down. */
import { compareEpochs, epochText, NO_EPOCH } from "../../base/epoch.ts";
import { clientCommand, parseLimit, withClient, type Client } from "../client.ts";
import type { Define } from "../commands.ts";
import { measured } from "../render.ts";
import { leaders } from "../views.ts";

export const define: Define = (command, io) => {
  const history = command.command("history").description("past leaders: why each came, and how long each part of the failover took");
  clientCommand(history)
    .option("--limit <n>", "at most this many, newest first (default 20)")
    .action((options: { limit?: string }) =>
      withClient(history, io, async (client) => {
        await client.list(leaders, await client.operator.leaderHistory({ limit: parseLimit(options.limit), allowStale: true }));
      }),
    );
  const stepDown = command.command("step-down").description("hand leadership to a standby, and measure how long nobody answered");
  clientCommand(stepDown).action(() => withClient(stepDown, io, measureStepDown));
};

/** The gap a client sees: from the order to the first answer by the new leader. */
async function measureStepDown(client: Client): Promise<void> {
  const { operator } = client;
  // Asked before, so that finding the leader and connecting are not measured.
  const before = await operator.status();
  const started = performance.now();
  const { from, to } = await operator.stepDown();
  const elected = performance.now() - started;
  let after = before;
  while (compareEpochs(after.epoch ?? NO_EPOCH, from.epoch) <= 0) after = await operator.status();
  const gap = performance.now() - started;
  const { output } = client.config;
  const result = {
    kind: "Handover",
    from: { master: from.name, epoch: epochText(from.epoch) },
    to: { master: to.name, epoch: epochText(to.epoch) },
    announcedAfterMs: Math.round(elected * 10) / 10,
    answeredAfterMs: Math.round(gap * 10) / 10,
  };
  if (output === "json" || output === "yaml") return client.document(result);
  client.io.stdout.write(
    `${from.name} (epoch ${epochText(from.epoch)}) handed over to ${to.name} (epoch ${epochText(to.epoch)}): ` +
      `announced after ${measured(elected)}, answering after ${measured(gap)}\n`,
  );
}
