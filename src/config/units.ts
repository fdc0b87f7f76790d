/** Durations and sizes as people write them. */

const DURATIONS: readonly (readonly [ms: number, ...names: string[]])[] = [
  [7 * 24 * 3_600_000, "week", "weeks", "w"],
  [24 * 3_600_000, "day", "days", "d"],
  [3_600_000, "h", "hr", "hrs", "hour", "hours"],
  [60_000, "min", "mins", "minute", "minutes", "m"],
  [1_000, "s", "sec", "secs", "second", "seconds"],
  [1, "ms"],
];

const SIZES: readonly (readonly [bytes: number, name: string])[] = [
  [2 ** 40, "TiB"],
  [2 ** 30, "GiB"],
  [2 ** 20, "MiB"],
  [2 ** 10, "KiB"],
  [1e12, "TB"],
  [1e9, "GB"],
  [1e6, "MB"],
  [1e3, "kB"],
  [1, "B"],
];

const AMOUNT = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i;

/** Milliseconds of "500ms", "5s", "1.5min", "2h", "1day", "1week", "0". Undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit = ""] = AMOUNT.exec(text.trim()) ?? [];
  if (amount === undefined) return undefined;
  if (Number(amount) === 0 && unit === "") return 0;
  const factor = DURATIONS.find(([, ...names]) => names.includes(unit.toLowerCase()))?.[0];
  return factor === undefined ? undefined : Number(amount) * factor;
}

/** The shortest exact text: 90_000 is "90s", 604_800_000 is "1week". */
export function formatDuration(ms: number): string {
  const [factor, name] = DURATIONS.find(([size]) => ms >= size && ms % size === 0) ?? [1, "ms"];
  return ms === 0 ? "0" : `${ms / factor}${name}`;
}

/** Bytes of "10MiB", "1.5GiB", "500kB", "0". Undefined for anything else. KiB is 1,024 and kB is 1,000 bytes. */
export function parseBytes(text: string): number | undefined {
  const [, amount, unit = ""] = AMOUNT.exec(text.trim()) ?? [];
  if (amount === undefined) return undefined;
  if (Number(amount) === 0 && unit === "") return 0;
  const factor = SIZES.find(([, name]) => name.toLowerCase() === unit.toLowerCase())?.[0];
  return factor === undefined ? undefined : Math.round(Number(amount) * factor);
}

/** The shortest exact text: 10_485_760 is "10MiB". */
export function formatBytes(bytes: number): string {
  const [factor, name] = SIZES.find(([size]) => bytes >= size && bytes % size === 0) ?? [1, "B"];
  return bytes === 0 ? "0" : `${bytes / factor}${name}`;
}
