/** An agent's streams to masters, whatever carries them. */
import type { AgentMessage, MasterBatch } from "../wire/gen/mesarch/v1/agents.ts";

/** One open stream. In order while it lives; nothing is promised beyond it. */
export interface MasterLink {
  /** Messages of one turn travel together. After the end they are dropped. */
  send(message: AgentMessage): void;
  /** Ends the stream and gives up the connection under it, which may be dead without knowing. */
  close(reason: string): void;
  /** Resolves, with the reason, when the stream has ended for whatever cause. Never rejects. */
  readonly closed: Promise<string>;
}

export interface MasterDialer {
  /**
   * Resolves when a stream to the master at `address` (host:port) is open; keeps trying until then. Rejects with the
   * signal's reason. `onBatch` is called for each batch until the link has closed.
   */
  dial(address: string, onBatch: (batch: MasterBatch) => void, signal: AbortSignal): Promise<MasterLink>;
}
