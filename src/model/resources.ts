/**
 * Resources of an agent, an offer or a task: an immutable value. An entry is identified by its name and the role it is
 * reserved to; entries of different identity never merge (Mesos: "resource identity"). Amounts of nothing are left out.
 */
import type { Resource } from "../wire/gen/mesos/v1/mesos.ts";
import { type Checked, accept } from "./checked.ts";
import { type MesosForm, entriesFromMesos, entryToMesos } from "./mesos-resources.ts";
import { entryText, parseEntries } from "./parse-resources.ts";
import { type Ranges, NO_RANGES, unionOf } from "./ranges.ts";
import {
  type ResourceEntry,
  UNRESERVED,
  compareEntries,
  includes,
  isNothing,
  meet,
  quantityOf,
  sumOf,
  without,
} from "./resource-entries.ts";
import { isWithin } from "./roles.ts";

export type { MesosForm, ResourceEntry };
export { UNRESERVED };

export class Resources {
  static readonly none = new Resources([]);

  /** Sorted by name, role and kind; each once; none of them nothing. */
  readonly entries: readonly ResourceEntry[];
  /** Whether any entry is reserved to a role. */
  readonly hasReservations: boolean;

  private constructor(entries: readonly ResourceEntry[]) {
    this.entries = entries;
    let reserved = false;
    for (const entry of entries) reserved ||= entry.role !== UNRESERVED;
    this.hasReservations = reserved;
  }

  /** The sum of entries given in any order. */
  static of(entries: Iterable<ResourceEntry>): Resources {
    let sum: Resources = Resources.none;
    for (const entry of entries) if (!isNothing(entry)) sum = sum.add(new Resources([entry]));
    return sum;
  }

  /**
   * Reads the text syntax: `cpus:24;mem:1024;ports:[31000-32000];disks:{a,b}`, with a static reservation in
   * parentheses: `cpus(ads):4`. Repeated entries are added up.
   */
  static parse(text: string): Checked<Resources> {
    const entries = parseEntries(text);
    return entries.ok ? accept(Resources.of(entries.value)) : entries;
  }

  /** Reads Mesos messages of either reservation format; refuses what Mesos refuses and what is not supported here. */
  static fromMesos(resources: readonly Resource[]): Checked<Resources> {
    const entries = entriesFromMesos(resources);
    return entries.ok ? accept(Resources.of(entries.value)) : entries;
  }

  static sum(all: Iterable<Resources>): Resources {
    let sum: Resources = Resources.none;
    for (const one of all) sum = sum.add(one);
    return sum;
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Both together. Ranges and sets are united, so what is in both counts once; see `meets`. */
  add(other: Resources): Resources {
    if (other.entries.length === 0) return this;
    if (this.entries.length === 0) return other;
    const [a, b] = [this.entries, other.entries];
    const out: ResourceEntry[] = [];
    let i = 0;
    let j = 0;
    while (i < a.length && j < b.length) {
      const order = compareEntries(a[i]!, b[j]!);
      if (order === 0) out.push(sumOf(a[i++]!, b[j++]!));
      else out.push(order < 0 ? a[i++]! : b[j++]!);
    }
    while (i < a.length) out.push(a[i++]!);
    while (j < b.length) out.push(b[j++]!);
    return new Resources(out);
  }

  /** What remains without `other`; undefined when `other` is not contained in this. */
  subtract(other: Resources): Resources | undefined {
    if (other.entries.length === 0) return this;
    const [a, b] = [this.entries, other.entries];
    const out: ResourceEntry[] = [];
    let j = 0;
    for (const entry of a) {
      if (j < b.length && compareEntries(entry, b[j]!) === 0) {
        const rest = without(entry, b[j++]!);
        if (rest === undefined) return undefined;
        if (!isNothing(rest)) out.push(rest);
      } else {
        out.push(entry);
      }
    }
    if (j < b.length) return undefined;
    return out.length === 0 ? Resources.none : new Resources(out);
  }

  /** Whether all of `other` is in this, identity by identity. */
  contains(other: Resources): boolean {
    const [a, b] = [this.entries, other.entries];
    for (let i = 0, j = 0; j < b.length; i++, j++) {
      while (i < a.length && compareEntries(a[i]!, b[j]!) < 0) i++;
      if (i >= a.length || compareEntries(a[i]!, b[j]!) !== 0 || !includes(a[i]!, b[j]!)) return false;
    }
    return true;
  }

  equals(other: Resources): boolean {
    return this === other || (this.contains(other) && other.contains(this));
  }

  /** Whether a range or a set has something in both, so that adding them would lose it. */
  meets(other: Resources): boolean {
    return this.entries.some(
      (a) => a.kind !== "scalar" && other.entries.some((b) => compareEntries(a, b) === 0 && meet(a, b)),
    );
  }

  /** What is reserved to nobody. */
  unreserved(): Resources {
    return this.hasReservations ? this.filter((entry) => entry.role === UNRESERVED) : this;
  }

  /** What is reserved to exactly this role. */
  reservedTo(role: string): Resources {
    return this.filter((entry) => entry.role === role);
  }

  /** What a framework in `role` may be offered: unreserved, or reserved to the role or one of its ancestors. */
  usableBy(role: string): Resources {
    if (!this.hasReservations) return this;
    return this.filter((entry) => entry.role === UNRESERVED || entry.role === role || isWithin(role, entry.role));
  }

  filter(keep: (entry: ResourceEntry) => boolean): Resources {
    const kept = this.entries.filter(keep);
    if (kept.length === this.entries.length) return this;
    return kept.length === 0 ? Resources.none : new Resources(kept);
  }

  /** Amount of a scalar over all roles, in thousandths. */
  scalar(name: string): number {
    let sum = 0;
    for (const entry of this.entries) if (entry.kind === "scalar" && entry.name === name) sum += entry.value;
    return sum;
  }

  /** Numbers of a ranges resource over all roles. */
  ranges(name: string): Ranges {
    let all = NO_RANGES;
    for (const entry of this.entries) {
      if (entry.kind === "ranges" && entry.name === name) all = unionOf(all, entry.value);
    }
    return all;
  }

  /** Thousandths per name over all roles; a number of a range and an item of a set count as one unit. */
  quantities(): Map<string, number> {
    const out = new Map<string, number>();
    for (const entry of this.entries) {
      out.set(entry.name, (out.get(entry.name) ?? 0) + quantityOf(entry));
    }
    return out;
  }

  toMesos(form: MesosForm = {}): Resource[] {
    return this.entries.map((entry) => entryToMesos(entry, form));
  }

  /** The text that `parse` reads. */
  toString(): string {
    return this.entries.map(entryText).join(";");
  }
}
