/** For use by hand: `depcruise src`. The rules, and why, are in scripts/build/layers.ts. */
import { lintConfiguration } from "./scripts/build/layers.ts";

export default lintConfiguration();
