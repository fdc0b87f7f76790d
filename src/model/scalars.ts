/**
 * Scalar amounts as whole thousandths: Mesos keeps three decimals in fixed point, so that adding and subtracting any
 * number of times leaves no floating point dust.
 */
import { type Checked, accept, refuse } from "./checked.ts";

/** Thousandths in one unit. */
export const THOUSANDTHS = 1000;

/** Largest amount accepted for one resource, in units: sums of thousands of such amounts stay near 2^53. */
export const MAX_SCALAR = 1e12;

/** Rounds an amount in units to thousandths, half away from zero as Mesos does; refuses what Mesos refuses. */
export function thousandthsOf(amount: number): Checked<number> {
  if (!Number.isFinite(amount)) return refuse(`${amount} is not a finite number`);
  if (amount < 0) return refuse(`${amount} is negative`);
  if (amount > 0 && amount < 1 / THOUSANDTHS) return refuse(`${amount} is below the granularity of 0.001`);
  if (amount > MAX_SCALAR) return refuse(`${amount} is above the limit of ${MAX_SCALAR}`);
  return accept(Math.round(amount * THOUSANDTHS));
}

/** Back to units, as the wire and people want it. Exact for every amount `thousandthsOf` yields up to 2^53. */
export function unitsOf(thousandths: number): number {
  return thousandths / THOUSANDTHS;
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Whether a text is meant as a number, so that `parseScalar` is the one to judge it. */
export function looksLikeScalar(text: string): boolean {
  return DECIMAL.test(text);
}

/** Reads a decimal number in units; yields thousandths. */
export function parseScalar(text: string): Checked<number> {
  if (!looksLikeScalar(text)) return refuse(`'${text}' is not a number`);
  return thousandthsOf(Number(text));
}

/** Shortest decimal text that `parseScalar` reads back as the same amount. */
export function scalarText(thousandths: number): string {
  return String(unitsOf(thousandths));
}
