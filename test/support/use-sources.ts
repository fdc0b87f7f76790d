/** Preloaded into an example, lets it import "mesarch" from the sources: the build may be older. */
import { registerHooks } from "node:module";

const sdk = new URL("../../src/sdk/index.ts", import.meta.url).href;

registerHooks({ resolve: (specifier, context, next) => next(specifier === "mesarch" ? sdk : specifier, context) });
