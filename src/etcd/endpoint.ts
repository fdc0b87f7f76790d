import { InterceptingCall, type CallOptions, type Interceptor } from "@grpc/grpc-js";
import { noop } from "cockatiel";
import { Etcd3, type IOptions } from "etcd3";
import type { EtcdConfig } from "./options.ts";

/** How long an answer is listened for. Not shorter: when a call fails, etcd3 closes the connection under all others. */
export const ANSWER_MAX_MS = 3_000;

/** Missed pulses after which streams to a member are given up: one may be our own stall. */
const PULSES_MISSED_MAX = 2;

/** Pulses right after some trouble, in milliseconds: to find the next etcd leader as soon as there is one. */
const HASTY_PULSE_MS = 50;
const HASTE_MS = 3_000;

/** A member without an etcd leader answers at once instead of leaving us waiting. */
const requireLeader: Interceptor = (options, nextCall) =>
  new InterceptingCall(nextCall(options), {
    start(metadata, listener, next) {
      metadata.set("hasleader", "true");
      next(metadata, listener);
    },
  });

export interface Leadership {
  /** Raft's term: a higher one is newer. */
  readonly term: number;
  /** True if the member asked is itself the leader. */
  readonly own: boolean;
}

/**
 * One etcd member: a client of its own, because etcd3 picks a host at random for each call, and a pulse that keeps the
 * connection warm and notices a member that is silent, apart from the others, or leading.
 */
export class Endpoint {
  readonly address: string;
  readonly etcd: Etcd3;
  /** False from a failure until the next good pulse. */
  healthy = true;
  readonly #pulseMs: number;
  readonly #onLeader: (endpoint: Endpoint, leadership: Leadership) => void;
  #timer: NodeJS.Timeout | undefined;
  #missed = 0;
  #hastyUntil = 0;
  #lost = new AbortController();
  #closed = false;

  /** `onLeader` hears, after each pulse, of the etcd leader that this member knows. */
  constructor(address: string, config: EtcdConfig, onLeader: (endpoint: Endpoint, leadership: Leadership) => void) {
    this.address = address;
    this.etcd = new Etcd3(clientOptions(address, config));
    this.#pulseMs = config.pulseMs;
    this.#onLeader = onLeader;
    this.#schedule(0);
  }

  /** Aborts when the member is lost; streams hang on it. A new one after each loss. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Something failed, here or elsewhere: look more often for a while. */
  hasten(): void {
    const now = performance.now();
    if (now >= this.#hastyUntil) this.#schedule(HASTY_PULSE_MS);
    this.#hastyUntil = now + HASTE_MS;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#lost.abort();
    this.etcd.close();
  }

  #schedule(afterMs: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#pulse(), afterMs).unref();
  }

  async #pulse(): Promise<void> {
    const overdue = setInterval(() => this.#missedOne(), this.#pulseMs).unref();
    try {
      const status = await this.etcd.maintenance.status({ deadline: Date.now() + ANSWER_MAX_MS });
      this.#missed = 0;
      this.healthy = status.leader !== "0";
      if (this.healthy) this.#onLeader(this, { term: Number(status.raftTerm), own: status.leader === status.header.member_id });
    } catch {
      this.#missedOne();
    } finally {
      clearInterval(overdue);
    }
    this.#schedule(performance.now() < this.#hastyUntil ? HASTY_PULSE_MS : this.#pulseMs);
  }

  #missedOne(): void {
    this.healthy = false;
    this.#missed += 1;
    if (this.#missed !== PULSES_MISSED_MAX) return;
    this.#lost.abort();
    this.#lost = new AbortController();
  }
}

/** Options of one call that must be answered within `timeoutMs`. */
export function unary(timeoutMs: number): CallOptions {
  return { deadline: Date.now() + timeoutMs, interceptors: [requireLeader] };
}

/** Options of a stream that lives until it is cancelled. */
export function streaming(): CallOptions {
  return { interceptors: [requireLeader] };
}

function clientOptions(address: string, { tls }: EtcdConfig): IOptions {
  return {
    hosts: address,
    // etcd3 would repeat writes that were committed and go silent for seconds: repeating is ours.
    faultHandling: { global: noop, host: () => noop },
    ...(tls && {
      credentials: {
        rootCertificate: Buffer.from(tls.ca),
        ...(tls.key && tls.certificate && { privateKey: Buffer.from(tls.key), certChain: Buffer.from(tls.certificate) }),
      },
    }),
    grpcOptions: {
      "grpc.max_receive_message_length": -1, // a catch-up of a watch is far above the default of 4 MB
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 1_000,
      "grpc.keepalive_time_ms": 10_000, // etcd ends connections that ping more often than every 5 s
      "grpc.keepalive_timeout_ms": 3_000,
      "grpc.enable_http_proxy": 0,
    },
  };
}
