/** The working directories of tasks, one for each launch. They outlive their tasks for a while. */
export interface Sandboxes {
  /** Absolute path of the sandbox of a launch, there or not. */
  path(launchId: string): string;
  /** The task of this launch was forgotten: its sandbox may be removed, in time. Never rejects. */
  forgotten(launchId: string): Promise<void>;
}
