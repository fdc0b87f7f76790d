/** A master as in production, that tells its parent when its door is open. Arguments: name, host:port, etcd endpoints. */
import { startMaster } from "../../src/cli/start-master.ts";
import { defaultMasterOptions } from "../../src/master/options.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { startTelemetry } from "../../src/telemetry/start.ts";

const [name = "", listen = "", endpoints = ""] = process.argv.slice(2);
const log = createLogger({ service: "mesarch-master", role: "master", name });
const telemetry = await startTelemetry({ service: "mesarch-master", version: defaultMasterOptions.version, name, log });
const running = await startMaster(
  {
    master: { ...defaultMasterOptions, name },
    listen,
    etcd: { endpoints: endpoints.split(","), onTrouble: (error) => log.info("trouble with the store", { error }) },
  },
  telemetry,
);
process.once("SIGTERM", () => void running.stop().then(() => process.exit(0)));
running.done.catch((error: unknown) => {
  log.error("cannot go on", { error });
  process.exit(1);
});
process.on("disconnect", () => process.exit(0));
process.send?.({ ready: running.address });
