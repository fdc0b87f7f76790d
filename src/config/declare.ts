/**
 * Options declared as data: from one declaration come the flag, the environment variable, the key in a file, the help and
 * the checks.
 *
 *     const options = {
 *       port: integer({ doc: "Port to listen on", default: 6050, min: 1, max: 65535 }),
 *       leaseTtl: duration({ doc: "…", default: "5s" }),        // --lease-ttl, MESARCH_LEASE_TTL, lease-ttl
 *     };
 */
import { formatBytes, formatDuration, parseBytes, parseDuration } from "./units.ts";

/** What a value may be before it is read: text from a flag or the environment, anything from a file. */
export type RawValue = unknown;

export type Read<T> = { readonly value: T } | { readonly problem: string };

export interface Option<T> {
  readonly kind: "text" | "integer" | "number" | "duration" | "bytes" | "switch" | "list" | "choice";
  /** One sentence without a full stop, as shown in the help. */
  readonly doc: string;
  /** Absent: there is none, and the value may be undefined. */
  readonly default: T;
  /** Shown in the help as `--name <placeholder>`. */
  readonly placeholder: string;
  /** Heading in the help. */
  readonly group: string;
  readonly read: (raw: RawValue) => Read<NonNullable<T>>;
  /** As it would be written. */
  readonly show: (value: NonNullable<T>) => string;
}

export type Declarations = Readonly<Record<string, Option<any>>>;

/** The values that come of declarations. */
export type Values<D extends Declarations> = { readonly [K in keyof D]: D[K] extends Option<infer T> ? T : never };

interface Spec {
  readonly doc: string;
  readonly group?: string;
  readonly placeholder?: string;
}

interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** A default makes the value certain; without one it may be undefined. */
type Maybe<T, S> = S extends { readonly default: unknown } ? T : T | undefined;

function option<T, S extends Spec & { readonly default?: unknown }>(
  kind: Option<T>["kind"],
  spec: S,
  placeholder: string,
  read: (raw: RawValue) => Read<T & {}>,
  show: (value: T & {}) => string = String,
): Option<Maybe<T, S>> {
  let fallback: unknown = undefined;
  if (spec.default !== undefined) {
    const made = read(spec.default);
    if ("problem" in made) throw new TypeError(`default of "${spec.doc}": ${made.problem}`);
    fallback = made.value;
  }
  return {
    kind,
    doc: spec.doc,
    group: spec.group ?? "Options",
    placeholder: spec.placeholder ?? placeholder,
    default: fallback as Maybe<T, S>,
    read: read as Option<Maybe<T, S>>["read"],
    show: show as Option<Maybe<T, S>>["show"],
  };
}

function inRange(value: number, { min = -Infinity, max = Infinity }: Range, show: (value: number) => string): Read<number> {
  if (value >= min && value <= max) return { value };
  if (max === Infinity) return { problem: `${show(value)} is below the least, ${show(min)}` };
  if (min === -Infinity) return { problem: `${show(value)} is above the most, ${show(max)}` };
  return { problem: `${show(value)} is not between ${show(min)} and ${show(max)}` };
}

/** `check` says what is wrong, or undefined. */
export function text<S extends Spec & { readonly default?: string; readonly check?: (text: string) => string | undefined }>(
  spec: S,
): Option<Maybe<string, S>> {
  return option<string, S>("text", spec, "text", (raw) => {
    if (typeof raw !== "string" && typeof raw !== "number") return { problem: `${kindOf(raw)} where text is expected` };
    const problem = spec.check?.(String(raw));
    return problem === undefined ? { value: String(raw) } : { problem };
  });
}

export function integer<S extends Spec & Range & { readonly default?: number }>(spec: S): Option<Maybe<number, S>> {
  return option<number, S>("integer", spec, "n", (raw) => {
    const value = typeof raw === "string" && /^-?\d+$/.test(raw.trim()) ? Number(raw) : raw;
    if (typeof value !== "number" || !Number.isSafeInteger(value)) return { problem: `${quote(raw)} is not a whole number` };
    return inRange(value, spec, String);
  });
}

export function decimal<S extends Spec & Range & { readonly default?: number }>(spec: S): Option<Maybe<number, S>> {
  return option<number, S>("number", spec, "number", (raw) => {
    const value = typeof raw === "string" && raw.trim() !== "" ? Number(raw) : raw;
    if (typeof value !== "number" || !Number.isFinite(value)) return { problem: `${quote(raw)} is not a number` };
    return inRange(value, spec, String);
  });
}

/** Milliseconds. `min` and `max` too. */
export function duration<S extends Spec & Range & { readonly default?: string }>(spec: S): Option<Maybe<number, S>> {
  return option<number, S>(
    "duration",
    spec,
    "duration",
    (raw) => {
      const value = parseDuration(String(raw));
      if (value === undefined) return { problem: `${quote(raw)} is not a duration; write a number and ms, s, min, h, day or week` };
      return inRange(value, spec, formatDuration);
    },
    formatDuration,
  );
}

/** Bytes. `min` and `max` too. */
export function bytes<S extends Spec & Range & { readonly default?: string }>(spec: S): Option<Maybe<number, S>> {
  return option<number, S>(
    "bytes",
    spec,
    "size",
    (raw) => {
      const value = parseBytes(String(raw));
      if (value === undefined) return { problem: `${quote(raw)} is not a size; write a number and B, KiB, MiB or GiB` };
      return inRange(value, spec, formatBytes);
    },
    formatBytes,
  );
}

export function onOff<S extends Spec & { readonly default: boolean }>(spec: S): Option<boolean> {
  return option<boolean, S>("switch", spec, "", (raw) => {
    if (raw === true || raw === "true" || raw === "1") return { value: true };
    if (raw === false || raw === "false" || raw === "0") return { value: false };
    return { problem: `${quote(raw)} is neither true nor false` };
  }) as Option<boolean>;
}

/** Separated by commas, or a list in a file. `check` looks at each element. */
export function list<
  S extends Spec & { readonly default?: readonly string[]; readonly check?: (text: string) => string | undefined },
>(spec: S): Option<Maybe<readonly string[], S>> {
  return option<readonly string[], S>(
    "list",
    spec,
    "a,b,…",
    (raw) => {
      const parts: unknown[] = typeof raw === "string" ? raw.split(",") : Array.isArray(raw) ? raw : [raw];
      if (parts.some((part) => typeof part === "object")) return { problem: "a list of plain texts is expected" };
      const value = parts.map((part) => String(part).trim()).filter((part) => part !== "");
      const problems = value.map((part) => spec.check?.(part)).filter((problem) => problem !== undefined);
      return problems.length === 0 ? { value } : { problem: problems.join("; ") };
    },
    (value) => value.join(","),
  );
}

export function choice<const C extends string, S extends Spec & { readonly default?: C }>(
  choices: readonly C[],
  spec: S,
): Option<Maybe<C, S>> {
  return option<C, S>("choice", spec, choices.join("|"), (raw) => {
    if ((choices as readonly unknown[]).includes(raw)) return { value: raw as C };
    return { problem: `${quote(raw)} is none of ${choices.join(", ")}` };
  });
}

/** "agentPingTimeout" is `agent-ping-timeout` in flags and files. */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** "agentPingTimeout" is `MESARCH_AGENT_PING_TIMEOUT`. */
export function envName(key: string): string {
  return `MESARCH_${kebab(key).replaceAll("-", "_").toUpperCase()}`;
}

function quote(raw: RawValue): string {
  return typeof raw === "string" ? `"${raw}"` : JSON.stringify(raw);
}

function kindOf(raw: RawValue): string {
  return Array.isArray(raw) ? "a list" : raw === null ? "nothing" : `a ${typeof raw}`;
}
