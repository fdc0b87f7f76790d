/**
 * Preloaded into a daemon, collects its garbage on SIGUSR2 and logs what is then held: resident memory less what the
 * engine keeps spare. From outside nobody can tell the one from the other (I27).
 */
import { setFlagsFromString } from "node:v8";
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
    const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
    const mb = (bytes: number): number => Math.round(bytes / MEBIBYTE);
    const told = { heldMb: mb(rss - heapTotal + heapUsed), rssMb: mb(rss), heapTotalMb: mb(heapTotal), heapUsedMb: mb(heapUsed), externalMb: mb(external) };
    process.stderr.write(`${JSON.stringify({ level: "info", msg: "memory held", ...told })}\n`);
  }, 100).unref();
});
