/** Every command: what the help needs at once, and how to load the rest when it is wanted. */
import type { Command } from "commander";
import type { Io } from "./io.ts";

/** Fills in a command: options, subcommands, actions. */
export type Define = (command: Command, io: Io) => void;

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly group: string;
  readonly load: () => Promise<{ readonly define: Define }>;
}

const start = "Start:";
const use = "Use:";
const operate = "Operate:";

export const commands: readonly CommandEntry[] = [
  {
    name: "dev",
    summary: "a whole cluster on this machine, to try things and to kill things",
    group: start,
    load: () => import("./commands/dev.ts"),
  },
  { name: "master", summary: "run a master; list masters", group: start, load: () => import("./commands/master.ts") },
  { name: "agent", summary: "run an agent; list, deactivate and remove agents", group: start, load: () => import("./commands/agent.ts") },
  { name: "run", summary: "run a command on the cluster and follow its output", group: use, load: () => import("./commands/run.ts") },
  { name: "task", summary: "list, inspect, kill tasks; read their output", group: use, load: () => import("./commands/task.ts") },
  { name: "framework", summary: "list frameworks; tear one down", group: use, load: () => import("./commands/framework.ts") },
  { name: "status", summary: "the cluster on one screen", group: operate, load: () => import("./commands/status.ts") },
  { name: "leader", summary: "history of leaders; hand leadership over", group: operate, load: () => import("./commands/leader.ts") },
  { name: "drill", summary: "faults on purpose, measured; reports of past ones", group: operate, load: () => import("./commands/drill.ts") },
  { name: "events", summary: "what is there; with -f, changes as they happen", group: operate, load: () => import("./commands/events.ts") },
  { name: "registry", summary: "what the registry holds", group: operate, load: () => import("./commands/registry.ts") },
];
