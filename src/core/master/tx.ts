/**
 * One step's only way to change durable state or to say something. Changes are applied to the tables at once, so that
 * the rest of the step sees them, and collected with their before-images; words are collected in order.
 */
import { assert } from "../../base/assert.ts";
import { limits } from "../../model/limits.ts";
import type { Atom } from "../pipeline.ts";
import { type Change, rowKey } from "../registry/change.ts";
import type { Tables } from "../registry/tables.ts";
import type { Input } from "./input.ts";
import type { Output } from "./output.ts";

export interface Step {
  readonly atoms: readonly Atom<Change>[];
  readonly words: readonly Output[];
  /** Per atom, the changes that take it back; applied last to first they undo the step (3.7). */
  readonly undo: readonly (readonly Change[])[];
  /** What is left of the input, to be handled by the next step but for deadlines. */
  readonly rest: Input | undefined;
}

export class Tx {
  /** Monotonic milliseconds, as given to the step. */
  readonly now: number;
  readonly #tables: Tables;
  readonly #sizeOf: (change: Change) => number;
  readonly #atoms: Atom<Change>[] = [];
  readonly #words: Output[] = [];
  readonly #undo: (readonly Change[])[] = [];
  #rest: Input | undefined;

  constructor(tables: Tables, now: number, sizeOf: (change: Change) => number) {
    this.#tables = tables;
    this.now = now;
    this.#sizeOf = sizeOf;
  }

  /**
   * Changes that become durable together (3.8). Each `put` call is one atom; atoms become durable in order. A delete of
   * a row that is not there is left out: the store tells nobody of it, so it must not be counted (3.10).
   */
  put(...changes: readonly Change[]): void {
    let bytes = 0;
    for (const change of changes) bytes += this.#sizeOf(change);
    // Every door checks what it takes. What slipped through must not reach the store, which would refuse it (3.9).
    assert(bytes <= limits.batchBytes, () => `${changes.map(rowKey).join(" with ").slice(0, 300)} takes ${bytes} bytes: no batch holds it`);
    const writes: Change[] = [];
    const undo: Change[] = [];
    const makes = new Set<Change>();
    const deletes = new Set<Change>();
    // Known to `rollBack` from the first change on, should a later one fail.
    this.#undo.push(undo);
    for (const change of changes) {
      const before = this.#tables.apply(change);
      if (before.record === undefined && change.record === undefined) continue;
      if (before.record === undefined) makes.add(change);
      if (change.record === undefined) deletes.add(change);
      writes.push(change);
      undo.unshift(before);
    }
    if (writes.length > 0) this.#atoms.push({ writes, bytes, makes, deletes });
    else this.#undo.pop();
  }

  /** Encoded size of a change in bytes, to refuse at the door what would not fit a batch (3.9). */
  sizeOf(change: Change): number {
    return this.#sizeOf(change);
  }

  /** Says something once everything put so far, in this step and before it, is durable. */
  say(output: Output): void {
    this.#words.push(output);
  }

  /** Leaves the rest of a long input to steps of its own, so that no step is long. */
  leave(rest: Input): void {
    this.#rest = rest;
  }

  /** The input is not done with this step. */
  get unfinished(): boolean {
    return this.#rest !== undefined;
  }

  /** The step failed: the tables are as before it. */
  rollBack(): void {
    for (const changes of this.#undo.toReversed()) for (const change of changes) this.#tables.apply(change);
  }

  finish(): Step {
    return { atoms: this.#atoms, words: this.#words, undo: this.#undo, rest: this.#rest };
  }
}
