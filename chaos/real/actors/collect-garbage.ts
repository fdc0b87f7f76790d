/**
 * Preloaded into a daemon, collects its garbage on SIGUSR2 and logs what is then held. What the operating system calls
 * resident would say nothing: pages that were freed stay with the engine for as long as nobody else wants them (I27).
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
setFlagsFromString("--no-expose-gc");

const MEBIBYTE = 2 ** 20;

process.on("SIGUSR2", () => {
  collect();
  // What finalizers let go of is garbage, too.
  setTimeout(() => {
    collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    const mb = (bytes: number): number => Math.round(bytes / MEBIBYTE);
    const told = { heldMb: mb(heapUsed + external + getHeapStatistics().malloced_memory), rssMb: mb(rss) };
    process.stderr.write(`${JSON.stringify({ level: "info", msg: "memory held", ...told })}\n`);
  }, 100).unref();
});
