import { limits } from "../model/limits.ts";
import type { HeldPart, HeldTask, Report } from "../wire/gen/mesarch/v1/agents.ts";

/** Puts the list of an agent that came in parts (9.3) together again. */
export class HeldParts {
  #held: HeldTask[] = [];
  #bytes = 0;

  /** Encoded size of what came so far must not exceed `limits.reportBytes`; false when it does. */
  add({ held }: HeldPart, bytes: number): boolean {
    this.#bytes += bytes;
    if (this.#bytes > limits.reportBytes) return false;
    for (const task of held) this.#held.push(task);
    return true;
  }

  /** The report that the parts came before, with all of the list; the next one starts over. */
  complete(report: Report): Report {
    const held = this.#held;
    this.clear();
    return held.length === 0 ? report : { ...report, held: [...held, ...report.held] };
  }

  clear(): void {
    this.#held = [];
    this.#bytes = 0;
  }
}
