/** What a command has of the world, so that tests can give it another one. */

export interface Sink {
  readonly isTTY?: boolean;
  write(data: string | Uint8Array): unknown;
}

export interface Io {
  /** Data only. */
  readonly stdout: Sink;
  /** Errors, progress, questions. */
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Calls back on Ctrl-C and on a request to stop, which the end of the terminal (SIGHUP) is, too; returns what ends that.
   * Until then the process is not ended by these signals.
   */
  readonly onStop: (callback: (signal: "SIGINT" | "SIGTERM") => void) => () => void;
}

/** The real one. */
export const processIo: Io = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  onStop: (callback) => {
    const interrupted = (): void => callback("SIGINT");
    const asked = (): void => callback("SIGTERM");
    process.on("SIGINT", interrupted).on("SIGTERM", asked).on("SIGHUP", asked);
    return () => void process.off("SIGINT", interrupted).off("SIGTERM", asked).off("SIGHUP", asked);
  },
};

/** A signal that fires on the first Ctrl-C or request to stop. Disposing takes the handlers away. */
export function stopSignal(io: Io): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const release = io.onStop((signal) => controller.abort(new DOMException(`${signal} received`, "AbortError")));
  return { signal: controller.signal, [Symbol.dispose]: release };
}
