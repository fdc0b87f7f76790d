/**
 * Preloaded into a daemon, collects its garbage on SIGUSR2: what a process holds at rest can be compared only once it has
 * given back what it does not need (I27).
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
setFlagsFromString("--no-expose-gc");

process.on("SIGUSR2", () => {
  collect();
  // What finalizers let go of is garbage, too.
  setTimeout(collect, 100).unref();
});
