/**
 * Membership digest (rule 9.1): how many ids a set holds and their sum modulo 2^128. Ids are random, so two different
 * sets have equal digests by accident with a chance of 2^-128. Order does not matter; adding and removing cost the same
 * for any size. Not a defence against ids chosen by an adversary: launch ids are made by the leader.
 */
import { type Checked, accept, refuse } from "./checked.ts";

const WORD = 0x1_0000_0000;

export class Digest {
  #count = 0;
  // The sum as four 32-bit words, most significant first: adding numbers is far cheaper than BigInt.
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /** How many ids were added and not removed. */
  get count(): number {
    return this.#count;
  }

  /** @param id 32 lower case hex digits; throws RangeError on anything else, since ids are ours. */
  add(id: string): void {
    const d = this.#d + word(id, 24);
    const c = this.#c + word(id, 16) + (d >= WORD ? 1 : 0);
    const b = this.#b + word(id, 8) + (c >= WORD ? 1 : 0);
    const a = this.#a + word(id, 0) + (b >= WORD ? 1 : 0);
    this.#set(this.#count + 1, a, b, c, d);
  }

  /** Takes out an id that was added; the digest cannot know whether it was. */
  remove(id: string): void {
    const d = this.#d - word(id, 24);
    const c = this.#c - word(id, 16) - (d < 0 ? 1 : 0);
    const b = this.#b - word(id, 8) - (c < 0 ? 1 : 0);
    const a = this.#a - word(id, 0) - (b < 0 ? 1 : 0);
    this.#set(this.#count - 1, a, b, c, d);
  }

  equals(other: Digest): boolean {
    return (
      this.#count === other.#count &&
      this.#a === other.#a &&
      this.#b === other.#b &&
      this.#c === other.#c &&
      this.#d === other.#d
    );
  }

  /** The sum alone, as 32 hex digits. */
  get sumText(): string {
    return hex(this.#a) + hex(this.#b) + hex(this.#c) + hex(this.#d);
  }

  /** `<count>:<sum as 32 hex digits>`, as sent and logged. */
  toString(): string {
    return `${this.#count}:${this.sumText}`;
  }

  static of(ids: Iterable<string>): Digest {
    const digest = new Digest();
    for (const id of ids) digest.add(id);
    return digest;
  }

  /** Reads what `toString` writes. */
  static parse(text: string): Checked<Digest> {
    const match = /^(0|[1-9]\d{0,14}):([0-9a-f]{32})$/.exec(text);
    if (match === null) return refuse(`'${text}' is not a digest, such as 0:${"0".repeat(32)}`);
    const digest = new Digest();
    const sum = match[2]!;
    digest.#set(Number(match[1]), word(sum, 0), word(sum, 8), word(sum, 16), word(sum, 24));
    return accept(digest);
  }

  /** Words may lie one carry outside 32 bits; `>>>` takes them back in. */
  #set(count: number, a: number, b: number, c: number, d: number): void {
    this.#count = count;
    this.#a = a >>> 0;
    this.#b = b >>> 0;
    this.#c = c >>> 0;
    this.#d = d >>> 0;
  }
}

/** Eight hex digits from `start`, as a number. */
function word(id: string, start: number): number {
  if (id.length !== 32) throw new RangeError(`'${id}' is not an id of 32 hex digits`);
  let value = 0;
  for (let i = start; i < start + 8; i++) {
    const code = id.charCodeAt(i);
    const digit = code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : -1;
    if (digit < 0) throw new RangeError(`'${id}' is not an id of 32 hex digits`);
    value = value * 16 + digit;
  }
  return value;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
