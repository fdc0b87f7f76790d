/** The parts of `Resources`: what identifies an entry, and arithmetic on two entries of one identity. */
import { type ItemSet, differenceOfSets, includesSet, itemSetText, setsMeet, unionOfSets } from "./item-sets.ts";
import { type Ranges, countOf, differenceOf, includesRanges, rangesMeet, rangesText, unionOf } from "./ranges.ts";
import { THOUSANDTHS, scalarText } from "./scalars.ts";

/** The role of resources reserved to nobody. */
export const UNRESERVED = "*";

interface Identity {
  readonly name: string;
  /** Role the entry is statically reserved to, or `*`. */
  readonly role: string;
}
/** An amount in thousandths, above 0. */
export interface ScalarEntry extends Identity {
  readonly kind: "scalar";
  readonly value: number;
}
export interface RangesEntry extends Identity {
  readonly kind: "ranges";
  readonly value: Ranges;
}
export interface SetEntry extends Identity {
  readonly kind: "set";
  readonly value: ItemSet;
}
export type ResourceEntry = ScalarEntry | RangesEntry | SetEntry;

/** Nothing at all: such entries are left out of `Resources`. */
export function isNothing(entry: ResourceEntry): boolean {
  return entry.kind === "scalar" ? entry.value === 0 : entry.value.length === 0;
}

/** The order of entries within `Resources`; 0 when both have one identity and kind. */
export function compareEntries(a: ResourceEntry, b: ResourceEntry): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.role !== b.role) return a.role < b.role ? -1 : 1;
  return a.kind === b.kind ? 0 : a.kind < b.kind ? -1 : 1;
}

/** Both together, for entries of one identity and kind. */
export function sumOf(a: ResourceEntry, b: ResourceEntry): ResourceEntry {
  const { name, role } = a;
  if (a.kind === "scalar" && b.kind === "scalar") return { kind: "scalar", name, role, value: a.value + b.value };
  if (a.kind === "ranges" && b.kind === "ranges") {
    return { kind: "ranges", name, role, value: unionOf(a.value, b.value) };
  }
  return { kind: "set", name, role, value: unionOfSets(a.value as ItemSet, b.value as ItemSet) };
}

/** What remains of `a`; undefined when `b` is not in it. Same identity and kind. */
export function without(a: ResourceEntry, b: ResourceEntry): ResourceEntry | undefined {
  if (!includes(a, b)) return undefined;
  const { name, role } = a;
  if (a.kind === "scalar" && b.kind === "scalar") return { kind: "scalar", name, role, value: a.value - b.value };
  if (a.kind === "ranges" && b.kind === "ranges") {
    return { kind: "ranges", name, role, value: differenceOf(a.value, b.value) };
  }
  return { kind: "set", name, role, value: differenceOfSets(a.value as ItemSet, b.value as ItemSet) };
}

/** Whether all of `b` is in `a`. Same identity and kind. */
export function includes(a: ResourceEntry, b: ResourceEntry): boolean {
  if (a.kind === "scalar" && b.kind === "scalar") return a.value >= b.value;
  if (a.kind === "ranges" && b.kind === "ranges") return includesRanges(a.value, b.value);
  return includesSet(a.value as ItemSet, b.value as ItemSet);
}

/** Whether adding the two would lose something: a number or an item is in both. */
export function meet(a: ResourceEntry, b: ResourceEntry): boolean {
  if (a.kind === "ranges" && b.kind === "ranges") return rangesMeet(a.value, b.value);
  return a.kind === "set" && b.kind === "set" && setsMeet(a.value, b.value);
}

/** Thousandths; a number of a range and an item of a set count as one unit. */
export function quantityOf(entry: ResourceEntry): number {
  if (entry.kind === "scalar") return entry.value;
  return THOUSANDTHS * (entry.kind === "ranges" ? countOf(entry.value) : entry.value.length);
}

/** The value alone, as in the text syntax of resources. */
export function valueText(entry: Pick<ResourceEntry, "kind" | "value">): string {
  if (entry.kind === "scalar") return scalarText(entry.value as number);
  return entry.kind === "ranges" ? rangesText(entry.value as Ranges) : itemSetText(entry.value as ItemSet);
}

const WELL_KNOWN = ["cpus", "mem", "disk", "gpus", "ports", UNRESERVED];

/** The same text, shared where it is common: decoded messages bring a copy of "cpus" for every task. */
export function interned(text: string): string {
  return WELL_KNOWN.find((known) => known === text) ?? text;
}

/** Why a resource name is not acceptable, if so: it must survive the text syntax. */
export function nameError(name: string): string | undefined {
  if (name === "") return "a resource has no name";
  if (!/[\s:;,(){}[\]]/.test(name)) return undefined;
  return `resource name '${name}' contains white space or one of : ; , ( ) { } [ ]`;
}

/** Why an entry is not acceptable beyond its syntax, if so. */
export function entryError(entry: ResourceEntry): string | undefined {
  if (entry.name === "gpus" && (entry.kind !== "scalar" || entry.value % THOUSANDTHS !== 0)) {
    return "gpus must be a whole number";
  }
  return undefined;
}
