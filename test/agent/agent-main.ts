/** An agent in a process of its own, for tests that kill it: options as JSON in the first argument. */
import { startAgent } from "../../src/cli/start-agent.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { telemetryOff } from "../../src/telemetry/off.ts";

const log = createLogger({ service: "mesarch-agent", role: "agent", name: "test", level: "error" });
try {
  const agent = await startAgent(JSON.parse(process.argv[2]!), { telemetry: telemetryOff(log) });
  process.on("SIGTERM", () => void agent[Symbol.asyncDispose]());
  console.log(agent.address);
  await agent.done;
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
}
