/** Sets of strings, such as device names: sorted lists without duplicates, so equal sets are equal lists. */
import { type Checked, accept, refuse } from "./checked.ts";

export type ItemSet = readonly string[];

/** Items of one set: operations on two sets take the product of their sizes. */
export const MAX_ITEMS = 1000;

/** Sorts items into a set; refuses duplicates and items that the text form could not carry. */
export function itemSetOf(items: readonly string[]): Checked<ItemSet> {
  if (items.length > MAX_ITEMS) return refuse(`a set has more than ${MAX_ITEMS} items`);
  const sorted = [...items].sort();
  for (let i = 0; i < sorted.length; i++) {
    const item = sorted[i]!;
    if (item === "") return refuse("a set has an empty item");
    if (/[\s,;{}]/.test(item)) return refuse(`set item '${item}' contains white space or one of , ; { }`);
    if (i > 0 && item === sorted[i - 1]) return refuse(`set item '${item}' appears twice`);
  }
  return accept(sorted);
}

/** Reads `{a, b}`. `{}` is empty. */
export function parseItemSet(text: string): Checked<ItemSet> {
  const inner = /^\{(.*)\}$/s.exec(text)?.[1];
  if (inner === undefined) return refuse(`'${text}' is not a set, such as {a,b}`);
  return inner.trim() === "" ? accept([]) : itemSetOf(inner.split(",").map((item) => item.trim()));
}

export function itemSetText(set: ItemSet): string {
  return `{${set.join(",")}}`;
}

export function unionOfSets(a: ItemSet, b: ItemSet): ItemSet {
  return [...new Set([...a, ...b])].sort();
}

export function differenceOfSets(a: ItemSet, b: ItemSet): ItemSet {
  return a.filter((item) => !b.includes(item));
}

/** Whether every item of `b` is in `a`. */
export function includesSet(a: ItemSet, b: ItemSet): boolean {
  return b.every((item) => a.includes(item));
}

export function setsMeet(a: ItemSet, b: ItemSet): boolean {
  return b.some((item) => a.includes(item));
}
