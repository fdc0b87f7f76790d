/** The reports of past drills: a directory with one JSON file each. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { MesarchError } from "../../base/errors.ts";
import { API_VERSION } from "../render.ts";
import type { DrillKind, DrillReport } from "./report.ts";

/** The latest are kept. */
const KEPT = 200;
/** Only what drills have written is listed, and removed when there are more. */
const FILE = /^(\d{8}-\d{6}-\d{3}-[a-z-]+)\.json$/;

/** As other programs keep what is worth keeping over restarts. */
export function defaultDirectory(env: Readonly<Record<string, string | undefined>>): string {
  const state = env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local", "state");
  return join(state, "mesarch", "drills");
}

/** Ids sort by time. */
export function newId(kind: DrillKind, now: Date): string {
  const [date, time] = now.toISOString().replace(/[-:Z]/g, "").split("T") as [string, string];
  return `${date}-${time.replace(".", "-")}-${kind}`;
}

export class Reports {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Writes one, and removes the oldest beyond those that are kept. Returns its path. Throws what the file system says. */
  keep(report: DrillReport): string {
    mkdirSync(this.directory, { recursive: true });
    const path = join(this.directory, `${report.id}.json`);
    writeFileSync(`${path}.new`, `${JSON.stringify({ apiVersion: API_VERSION, ...report }, undefined, 2)}\n`);
    renameSync(`${path}.new`, path);
    for (const id of this.ids().slice(KEPT)) rmSync(join(this.directory, `${id}.json`), { force: true });
    return path;
  }

  /** Newest first. None when there is no directory. */
  ids(): string[] {
    try {
      const ids = readdirSync(this.directory).flatMap((name) => FILE.exec(name)?.[1] ?? []);
      return ids.sort().reverse();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  /** By id or a unique beginning of one. Throws "not_found", "invalid" for several, or "internal" for a file that is no report. */
  read(id: string): DrillReport {
    const all = this.ids();
    const found = all.includes(id) ? [id] : all.filter((each) => each.startsWith(id));
    if (found.length === 0) throw new MesarchError("not_found", `there is no report "${id}" in ${this.directory}`, { remedy: "See: mesarch drill report" });
    if (found.length > 1) throw new MesarchError("invalid", `"${id}" may be any of ${found.slice(0, 3).join(", ")}`);
    const path = join(this.directory, `${found[0]}.json`);
    try {
      return JSON.parse(readFileSync(path, "utf8")) as DrillReport;
    } catch (cause) {
      throw new MesarchError("internal", `${path} cannot be read as a report`, { cause });
    }
  }
}
