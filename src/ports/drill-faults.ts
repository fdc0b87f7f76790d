/** What a drill may do to the process that serves it. Handed out only where the configuration allows drills. */
export interface DrillFaults {
  /** Ends this process at once, as SIGKILL does: nothing is said, handed over or put in order. */
  crash(): never;
  /** Stops this process as it stands; it goes on by itself after a few seconds. Rejects with `unavailable` where that cannot be. */
  hang(): Promise<void>;
}
