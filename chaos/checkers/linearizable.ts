/**
 * Whether operations with begin and end could have happened one at a time: the search of Wing and Gong (1993), with
 * Lowe's cache (2017) of pairs of operations done and state reached, as Knossos and porcupine have it, too. Histories
 * are to be split by object first, which Herlihy and Wing showed to be enough.
 */

export interface Operation<I> {
  readonly start: number;
  /** Infinity if it was never answered: then it may take effect at any time after its start, or never. */
  readonly end: number;
  readonly value: I;
}

/** States are compared by `===`, or by what `key` makes of them. */
export interface Model<S, I> {
  readonly initial: S;
  /** The state afterwards; undefined if the operation cannot be done, or answered so, in this state. */
  step(state: S, value: I): S | undefined;
  key(state: S): string | number;
}

export interface Linearization<I> {
  /** Undecided: the search was given up. */
  readonly verdict: "yes" | "no" | "undecided";
  /** As far as the search came: the operation that could be placed nowhere. */
  readonly stuckAt: Operation<I> | undefined;
}

const MAX_STEPS = 2_000_000;

/** One of the two ends of an operation, in a list from which what is done is lifted out and put back. */
interface Entry {
  readonly index: number;
  /** Of a call: its return. */
  readonly back: Entry | undefined;
  previous: Entry | undefined;
  next: Entry | undefined;
}

export function linearizable<S, I>(model: Model<S, I>, operations: readonly Operation<I>[], maxSteps = MAX_STEPS): Linearization<I> {
  const head = entriesOf(operations);
  const done = new Done(operations.length);
  const seen = new Set<string>();
  const path: { readonly call: Entry; readonly state: S }[] = [];
  let answered = operations.filter(({ end }) => end !== Infinity).length;
  let state = model.initial;
  let entry = head.next;
  let deepest = -1;
  let stuckAt: Operation<I> | undefined;
  for (let steps = 0; answered > 0; steps++) {
    if (steps > maxSteps) return { verdict: "undecided", stuckAt };
    if (entry?.back !== undefined) {
      // A call: may it be the next one?
      const { index } = entry;
      const after = model.step(state, operations[index]!.value);
      if (after !== undefined && isNew(seen, done, index, model.key(after))) {
        path.push({ call: entry, state });
        state = after;
        if (operations[index]!.end !== Infinity) answered -= 1;
        lift(entry);
        entry = head.next;
      } else {
        done.clear(index);
        entry = entry.next;
      }
      continue;
    }
    // A return of what is not done yet, or the end: the last choice was wrong.
    if (entry !== undefined && path.length > deepest) {
      deepest = path.length;
      stuckAt = operations[entry.index];
    }
    const last = path.pop();
    if (last === undefined) return { verdict: "no", stuckAt };
    state = last.state;
    done.clear(last.call.index);
    if (operations[last.call.index]!.end !== Infinity) answered += 1;
    unlift(last.call);
    entry = last.call.next;
  }
  return { verdict: "yes", stuckAt: undefined };
}

/** Marks the operation as done; whether that and the state reached are met for the first time. */
function isNew(seen: Set<string>, done: Done, index: number, state: string | number): boolean {
  done.set(index);
  const key = `${done.key()}|${state}`;
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

function entriesOf(operations: readonly Operation<unknown>[]): Entry {
  const times: { t: number; isReturn: boolean; index: number }[] = [];
  for (const [index, { start, end }] of operations.entries()) {
    times.push({ t: start, isReturn: false, index }, { t: end, isReturn: true, index });
  }
  // Of one moment all calls come first: then they overlap, which claims less.
  times.sort((a, b) => (a.t === b.t ? Number(a.isReturn) - Number(b.isReturn) || a.index - b.index : a.t - b.t));
  const returns = operations.map((_, index): Entry => ({ index, back: undefined, previous: undefined, next: undefined }));
  const head: Entry = { index: -1, back: undefined, previous: undefined, next: undefined };
  let last = head;
  for (const { isReturn, index } of times) {
    // Whoever was never answered never returns.
    if (isReturn && operations[index]!.end === Infinity) continue;
    const entry: Entry = isReturn ? returns[index]! : { index, back: returns[index]!, previous: undefined, next: undefined };
    entry.previous = last;
    last.next = entry;
    last = entry;
  }
  return head;
}

function lift(call: Entry): void {
  for (const entry of [call, call.back!]) {
    if (entry.previous !== undefined) entry.previous.next = entry.next;
    if (entry.next !== undefined) entry.next.previous = entry.previous;
  }
}

/** The reverse of `lift`, in reverse order. */
function unlift(call: Entry): void {
  for (const entry of [call.back!, call]) {
    if (entry.previous !== undefined) entry.previous.next = entry;
    if (entry.next !== undefined) entry.next.previous = entry;
  }
}

/**
 * A set of indexes. They are done nearly in order, so its key is how far all are done, and what is done beyond that.
 */
class Done {
  readonly #done: Uint8Array;
  readonly #beyond = new Set<number>();
  #below = 0;

  constructor(size: number) {
    this.#done = new Uint8Array(size);
  }

  set(index: number): void {
    this.#done[index] = 1;
    this.#beyond.add(index);
    while (this.#done[this.#below] === 1) this.#beyond.delete(this.#below++);
  }

  clear(index: number): void {
    this.#done[index] = 0;
    this.#beyond.delete(index);
    for (; this.#below > index; this.#below--) if (this.#below - 1 !== index) this.#beyond.add(this.#below - 1);
  }

  key(): string {
    return `${this.#below}:${[...this.#beyond].sort((a, b) => a - b).join(",")}`;
  }
}
