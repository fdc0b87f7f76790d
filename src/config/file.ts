/** Configuration files: YAML or TOML, by extension. */
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import type { ConfigFile } from "./compile.ts";
import { UsageError } from "./usage-error.ts";

/** Larger than this it is not a configuration. */
const MAX_BYTES = 1024 * 1024;

/** Reads `.yaml`, `.yml`, `.json` or `.toml`. Throws `UsageError` with the place of a syntax error. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  let source: string;
  try {
    source = await readFile(path, "utf8");
  } catch (cause) {
    throw new UsageError(`the configuration file ${path} cannot be read`, { cause });
  }
  if (source.length > MAX_BYTES) throw new UsageError(`${path} is larger than a configuration may be (1 MiB)`);
  let values: unknown;
  try {
    values = await parse(path, source);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`${path} cannot be parsed`, { cause });
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new UsageError(`${path} must hold options as "name: value"`);
  }
  return { path, values: values as Record<string, unknown> };
}

async function parse(path: string, source: string): Promise<unknown> {
  switch (extname(path).toLowerCase()) {
    case ".yaml":
    case ".yml":
    case ".json":
      return (await import("yaml")).parse(source) ?? {};
    case ".toml":
      return (await import("smol-toml")).parse(source);
    default:
      throw new UsageError(`${path}: the extension must be .yaml, .yml, .json or .toml`);
  }
}
