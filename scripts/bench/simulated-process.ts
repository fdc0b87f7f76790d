/** Simulated agents in a process of their own. Argument: their options as JSON. Tells its counts five times a second. */
import { SimulatedAgents, type SimulationOptions } from "./simulated-agents.ts";

export interface Counts {
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly confirmed: number;
  readonly launches: number;
  readonly forgotten: number;
}

const TELL_MS = 200;

// Ten thousand agents lose a stream at once, and each error's stack would be written down.
Error.stackTraceLimit = 0;

const agents = new SimulatedAgents(JSON.parse(process.argv[2] ?? "{}") as SimulationOptions);
const stop = (): void => void agents[Symbol.asyncDispose]().then(() => process.exit(0));
process.once("SIGTERM", stop);
process.on("disconnect", () => process.exit(0));
process.send?.({ ready: true });
setInterval(() => {
  const { confirmed, launches, forgotten } = agents.counts;
  process.send?.({ at: Date.now(), confirmed, launches, forgotten } satisfies Counts);
}, TELL_MS);
