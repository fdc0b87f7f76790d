/** Options that master and agent share. */
import { hostname } from "node:os";
import { choice, text } from "./declare.ts";

const logs = "Logs";

export const logOptions = {
  logLevel: choice(["debug", "info", "warn", "error"], { doc: "Least severity that is logged", default: "info", group: logs }),
  logFile: text({ doc: "File to append log lines to, instead of standard error", placeholder: "path", group: logs }),
};

/** The name of this machine without its domain, made fit for a name. */
export function hostName(): string {
  return hostname().split(".")[0]!.replace(/[^A-Za-z0-9_-]/g, "-") || "localhost";
}
