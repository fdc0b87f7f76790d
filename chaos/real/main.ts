/** `npm run chaos`: see orders.ts for what it can be told. */
import { Belongings } from "./belongings.ts";
import { chaosRun } from "./chaos-run.ts";
import { judgeAgain } from "./conclusion.ts";
import { headlineRun } from "./headline-run.ts";
import { herdRun } from "./herd-run.ts";
import { type Order, parseOrder, type RunOrder, USAGE } from "./orders.ts";
import { tellProbe } from "./probe.ts";
import { restoreRun } from "./restore-run.ts";
import { onStage, openStage, STAGE_VARIABLE } from "./stage.ts";

const FAILED = 3;
const beganAt = performance.now();

function tell(line: string): void {
  console.error(`[${((performance.now() - beganAt) / 1_000).toFixed(1).padStart(6)}s] ${line}`);
}

async function main(args: readonly string[]): Promise<number> {
  let order: Order;
  try {
    order = parseOrder(args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    console.error(USAGE);
    return 2;
  }
  switch (order.kind) {
    case "help":
      console.log(USAGE);
      return 0;
    case "probe":
      return tellProbe(order.json);
    case "check":
      return judgeAgain(order.path, tell);
    default:
      return perform(order, args);
  }
}

/** On the stage, or first setting it. */
async function perform(order: RunOrder, args: readonly string[]): Promise<number> {
  const directory = process.env[STAGE_VARIABLE];
  // The seed is settled here, so that both processes know it.
  if (directory === undefined) return onStage(order, args.includes("--seed") ? args : [...args, "--seed", String(order.seed)], tell);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort(new Error(`told to stop (${signal})`)));
  const stage = openStage(directory);
  const belongings = Belongings.join(directory);
  const performance = { stage, belongings, tell, signal: stop.signal };
  switch (order.kind) {
    case "headline":
      return headlineRun(order, performance);
    case "herd":
      return herdRun(order, performance);
    case "restore":
      return restoreRun(order, performance);
    case "chaos":
      return chaosRun(order, performance);
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(FAILED);
  },
);
