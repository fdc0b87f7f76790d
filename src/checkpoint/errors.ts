import { MesarchError } from "../base/errors.ts";

/** Something on disk contradicts itself in a way no crash explains (8.3). The agent stops; its tasks go on. */
export class CheckpointDamaged extends MesarchError {
  constructor(path: string, detail: string, options?: ErrorOptions) {
    super("internal", `${path} is damaged: ${detail}`, {
      remedy:
        "The tasks of this host go on running. Restore the file from before the damage, or move the work directory " +
        "away: the agent then registers as a new one, and its old tasks are reported as gone.",
      ...(options?.cause !== undefined && { cause: options.cause }),
    });
    this.name = "CheckpointDamaged";
  }
}

/** The journal has no room for this group, and it has to be written anew. */
export class JournalFull extends MesarchError {
  constructor(path: string) {
    super("exhausted", `${path} has no room left`);
    this.name = "JournalFull";
  }
}

/** Another agent process uses the work directory (8.1). */
export class WorkDirectoryLocked extends MesarchError {
  constructor(root: string, options?: ErrorOptions) {
    super("conflict", `another agent uses the work directory ${root}`, {
      remedy: "Give each agent of a host its own work directory.",
      ...(options?.cause !== undefined && { cause: options.cause }),
    });
    this.name = "WorkDirectoryLocked";
  }
}
