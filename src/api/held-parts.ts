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
    if (this.#bytes === 0) return report;
    const held = [...this.#held, ...report.held];
    this.clear();
    return { ...report, held };
  }

  clear(): void {
    this.#held = [];
    this.#bytes = 0;
  }
}
