/** A source of randomness, given to whoever needs one; the machines never reach for a global. */
export interface Random {
  /** `bytes` random bytes as lower-case hex digits. */
  hex(bytes: number): string;
  /** Uniform in [0, 1). */
  uniform(): number;
}

/** A repeatable source for tests and simulation (mulberry32). Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return {
    hex: (bytes) => {
      let out = "";
      while (out.length < bytes * 2) out += next().toString(16).padStart(8, "0");
      return out.slice(0, bytes * 2);
    },
    uniform: () => next() / 0x1_0000_0000,
  };
}
