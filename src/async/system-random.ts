import { randomBytes } from "node:crypto";
import type { Random } from "../base/random.ts";

/** The operating system's randomness. */
export const systemRandom: Random = {
  hex: (bytes) => randomBytes(bytes).toString("hex"),
  uniform: () => randomBytes(4).readUInt32BE() / 0x1_0000_0000,
};
