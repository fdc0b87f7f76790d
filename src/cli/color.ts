/** Colours for people, never the only sign of anything. */
import pc from "picocolors";
import type { ClientConfig } from "../config/client-options.ts";
import type { Io } from "./io.ts";

export type Colors = ReturnType<typeof pc.createColors>;

/** `auto`: on a terminal, unless NO_COLOR is set or TERM is dumb; FORCE_COLOR counts as a terminal. */
export function colors(mode: ClientConfig["color"], io: Io): Colors {
  const { NO_COLOR, FORCE_COLOR, TERM } = io.env;
  const wanted = (FORCE_COLOR !== undefined && FORCE_COLOR !== "0") || (io.stdout.isTTY === true && TERM !== "dumb");
  return pc.createColors(mode === "always" || (mode === "auto" && wanted && (NO_COLOR === undefined || NO_COLOR === "")));
}
