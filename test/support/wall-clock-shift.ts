/**
 * Preloaded into a process, lets a test set its wall clock: on SIGUSR2 every `Date` is off by the milliseconds that the file
 * named by WALL_CLOCK_SHIFT holds. What counts time by the monotonic clock must not notice.
 */
import { readFileSync } from "node:fs";

const SystemDate = Date;
let shiftMs = 0;

globalThis.Date = new Proxy(SystemDate, {
  construct: (_target, args: []) => (args.length === 0 ? new SystemDate(SystemDate.now() + shiftMs) : new SystemDate(...args)),
  get: (target, name) => (name === "now" ? () => SystemDate.now() + shiftMs : Reflect.get(target, name)),
});

process.on("SIGUSR2", () => {
  shiftMs = Number(readFileSync(process.env["WALL_CLOCK_SHIFT"]!, "utf8"));
  process.stderr.write(`wall clock shifted by ${shiftMs} ms\n`);
});
