/** Real agents, several to a process, over work directories of their own. Arguments: a directory, masters, count, first number. */
import { join } from "node:path";
import { startAgent } from "../../src/cli/start-agent.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { telemetryOff } from "../../src/telemetry/off.ts";

const [directory = "", masters = "", count = "1"] = process.argv.slice(2);
const agents = await Promise.all(
  Array.from({ length: Number(count) }, (_, index) => {
    const name = `agent-${index + 1}`;
    return startAgent(
      {
        masters: masters.split(","),
        workDirectory: join(directory, name),
        hostname: name,
        ip: "127.0.0.1",
        listen: "127.0.0.1",
        port: 0,
        resources: "cpus:64;mem:65536;disk:65536",
        controlGroup: undefined,
      },
      { telemetry: telemetryOff(createLogger({ service: "mesarch-agent", role: "agent", name })) },
    );
  }),
);
const stop = async (): Promise<void> => {
  await Promise.all(agents.map((agent) => agent[Symbol.asyncDispose]()));
  process.exit(0);
};
process.once("SIGTERM", () => void stop());
process.on("disconnect", () => process.exit(0));
process.send?.({ ready: agents.map((agent) => agent.address) });
