/**
 * What a check of foreign input yields: the value, or why it was refused. Foreign input never throws; only our own
 * mistakes do.
 */
export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

export function accept<T>(value: T): Checked<T> {
  return { ok: true, value };
}

export function refuse(error: string): { readonly ok: false; readonly error: string } {
  return { ok: false, error };
}
