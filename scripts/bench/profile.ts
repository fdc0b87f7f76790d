/** Where the time, or the memory, of masters went: the profiles that Node wrote, in a few lines. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Line } from "./benchmark.ts";

export type ProfileKind = "cpu" | "heap";

const SHOWN = 12;

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** From zero. */
  readonly lineNumber: number;
}

interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

interface HeapNode {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

/** Milliseconds or MiB by function; what no function did is left out. */
type Shares = Map<string, number>;

/** Options for Node that make it write a profile into `directory` when it exits. */
export function profiling(kind: ProfileKind, directory: string): string[] {
  return [`--${kind}-prof`, `--${kind}-prof-dir=${directory}`];
}

/** Of the profiles in `directory`, the fullest: what a leader did, or a standby's if no leader lived to write its own. */
export function hottest(kind: ProfileKind, directory: string, build: string): Line[] {
  const files = globSync(join(directory, `*.${kind}profile`));
  const all = files.map((file) => {
    const profile = JSON.parse(readFileSync(file, "utf8")) as unknown;
    return kind === "cpu" ? processorShares(profile as CpuProfile, build) : heapShares((profile as { head: HeapNode }).head, build);
  });
  const shares = all.reduce<Shares | undefined>((most, each) => (most === undefined || total(each) > total(most) ? each : most), undefined);
  if (shares === undefined) return [{ name: "  profile", value: "no master wrote one" }];
  const sum = total(shares);
  const unit = kind === "cpu" ? "ms of processor time" : "MiB";
  const top = [...shares].toSorted(([, a], [, b]) => b - a).slice(0, SHOWN);
  return [
    { name: `  profile of the busiest of ${files.length} masters`, value: `${Math.round(sum)} ${unit}, of which:` },
    ...top.map(([place, share]) => ({ name: "", value: `${((100 * share) / sum).toFixed(1).padStart(5)} %  ${place}` })),
  ];
}

function processorShares({ nodes, samples, timeDeltas }: CpuProfile, build: string): Shares {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const shares: Shares = new Map();
  samples.forEach((id, index) => {
    const frame = frames.get(id);
    if (frame === undefined || frame.functionName === "(idle)" || frame.functionName === "(program)") return;
    add(shares, placeOf(frame, build), timeDeltas[index]! / 1_000);
  });
  return shares;
}

function heapShares(root: HeapNode, build: string): Shares {
  const shares: Shares = new Map();
  const visit = ({ callFrame, selfSize, children }: HeapNode): void => {
    if (selfSize > 0) add(shares, placeOf(callFrame, build), selfSize / 2 ** 20);
    children.forEach(visit);
  };
  visit(root);
  return shares;
}

function placeOf({ functionName, url, lineNumber }: CallFrame, build: string): string {
  const file = url.replace("file://", "").replace(`${build}/`, "").replace(/^.*node_modules\//, "");
  return `${functionName || "(anonymous)"}  ${file === "" ? "" : `${file}:${lineNumber + 1}`}`.trimEnd();
}

function add(shares: Shares, place: string, share: number): void {
  shares.set(place, (shares.get(place) ?? 0) + share);
}

function total(shares: Shares): number {
  let sum = 0;
  for (const share of shares.values()) sum += share;
  return sum;
}
