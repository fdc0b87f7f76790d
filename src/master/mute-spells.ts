/**
 * Whether the leader is mute (3.6), and the log lines about it. A slow store makes a spell of every transaction: after one
 * that was told of, further ones are only counted for a while, and told of together.
 */
import type { Logger } from "../telemetry/logger.ts";

/** From one spell that is told of to the next, monotonic milliseconds. */
const PAUSE_MS = 10_000;

export class MuteSpells {
  readonly #log: Logger;
  #on = false;
  /** The present one was told of, so its end is, too. */
  #told = false;
  #untold = 0;
  #quietUntil = -Infinity;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** The registry does not answer at present. */
  get on(): boolean {
    return this.#on;
  }

  begin(now: number): void {
    this.#on = true;
    this.#untold += 1;
    this.look(now);
  }

  end(): void {
    if (this.#told) this.#log.info("the registry answers again");
    this.#on = false;
    this.#told = false;
  }

  /** To be called again and again: what was counted is told of once the pause is over, and a spell that lasts then. */
  look(now: number): void {
    if (this.#untold === 0 || now < this.#quietUntil) return;
    const spells = this.#untold === 1 ? {} : { spells: this.#untold };
    if (this.#on) this.#log.warn("mute: the registry does not answer", spells);
    else this.#log.warn("the registry is slow: mute again and again, for a moment each", spells);
    this.#told = this.#on;
    this.#untold = 0;
    this.#quietUntil = now + PAUSE_MS;
  }
}
