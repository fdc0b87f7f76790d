/**
 * One stream to every master, always open: a new leader then needs no connection to be built, only a word. A lost one
 * is dialled again at once, then with growing pauses.
 */
import { delay, onAbort } from "../async/abort.ts";
import { backoff } from "../async/backoff.ts";
import type { Clock } from "../async/clock.ts";
import type { Random } from "../base/random.ts";
import type { Input, LinkId } from "../core/agent/input.ts";
import type { MasterDialer, MasterLink } from "../ports/master-links.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AgentMessage } from "../wire/gen/mesarch/v1/agents.ts";

export interface MasterLinksOptions {
  readonly dialer: MasterDialer;
  /** host:port of every master. */
  readonly masters: readonly string[];
  /** False when the machine cannot take more now: the link is closed, and nothing is lost by that. */
  readonly submit: (input: Input) => boolean;
  /** Takes what the machine has to hear. */
  readonly deliver: (input: Input) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** A link that held this long was not a failed attempt: pauses start over. */
const STEADY_MS = 5_000;

export class MasterLinks {
  readonly #options: MasterLinksOptions;
  readonly #links = new Map<LinkId, MasterLink>();
  #lastId = 0;

  constructor(options: MasterLinksOptions) {
    this.#options = options;
  }

  /** Keeps the links until the signal fires; resolves when all are closed. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#options.masters.map((master) => this.#keep(master, signal)));
  }

  send(link: LinkId, message: AgentMessage): void {
    this.#links.get(link)?.send(message);
  }

  close(link: LinkId, reason: string): void {
    this.#links.get(link)?.close(reason);
  }

  async #keep(master: string, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    let pauses = this.#pauses();
    while (!signal.aborted) {
      const openedAt = clock.now();
      try {
        const reason = await this.#one(master, signal);
        log.info(`link to master ${master} closed: ${reason}`);
      } catch (error) {
        if (signal.aborted) return;
        log.warn(`no link to master ${master}`, { error });
      }
      if (clock.now() - openedAt > STEADY_MS) pauses = this.#pauses();
      await delay(pauses.next().value, signal, clock).catch(() => {});
    }
  }

  /** One link, from dialling to its end; resolves with why it ended. */
  async #one(master: string, signal: AbortSignal): Promise<string> {
    const { dialer, deliver, submit } = this.#options;
    const id = (this.#lastId += 1);
    const link = await dialer.dial(
      master,
      (batch) => {
        if (!submit({ kind: "fromMaster", link: id, batch })) link.close("the agent is overloaded");
      },
      signal,
    );
    const stopListening = onAbort(signal, () => link.close("the agent stops"));
    this.#links.set(id, link);
    deliver({ kind: "linkOpened", link: id });
    const reason = await link.closed;
    stopListening();
    this.#links.delete(id);
    deliver({ kind: "linkClosed", link: id });
    return reason;
  }

  #pauses(): Generator<number, never, void> {
    return backoff({ baseMs: 50, maxMs: 3_000, random: () => this.#options.random.uniform() });
  }
}
