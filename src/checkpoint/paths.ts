/**
 * An agent's work directory:
 *
 *     <work dir>
 *     ├── epoch               two slots, written in turn: highest epoch obeyed, number of starts
 *     ├── journal             every record since it was last written anew
 *     ├── journal.new         being written
 *     ├── lock                held by the agent that uses the directory
 *     ├── runs/<launch id>    marks of the task's monitor; the adapter that runs things knows more
 *     └── sandboxes/<launch id>
 *         ├── stdout, stderr  the task's output, and older parts of it as stdout.1 and so on
 *         └── …               what the task itself writes
 */
import { join } from "node:path";

export interface WorkPaths {
  readonly root: string;
  readonly epoch: string;
  readonly journal: string;
  readonly newJournal: string;
  readonly runs: string;
  readonly sandboxes: string;
  sandbox(launchId: string): string;
}

export function workPaths(root: string): WorkPaths {
  const sandboxes = join(root, "sandboxes");
  return {
    root,
    epoch: join(root, "epoch"),
    journal: join(root, "journal"),
    newJournal: join(root, "journal.new"),
    runs: join(root, "runs"),
    sandboxes,
    sandbox: (launchId) => join(sandboxes, launchId),
  };
}
