/**
 * Assertions that stay on in production: a machine that is wrong about itself must stop, so that a standby with the
 * same durable state takes over.
 */

/** A bug of ours. Nobody handles it; the process ends. */
export class AssertionFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = "AssertionFailure";
  }
}

/** Throws `AssertionFailure` unless `condition` holds. Pass a function when building the message costs something. */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionFailure(typeof message === "string" ? message : message());
}

/** Marks code that the types say cannot run; `value` is shown if it does. */
export function unreachable(value: never, where = "unreachable"): never {
  throw new AssertionFailure(`${where}: unexpected ${show(value)}`);
}

function show(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return typeof value;
  }
}
