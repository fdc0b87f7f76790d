/** Reads the daemons' logs along: what must never be said is a complaint, who leads and rare branches are taken down. */
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import type { Unrecorded } from "../../history/event.ts";
import type { Recorder } from "../../history/recorder.ts";
import { loggedMarks } from "../../sim/telemetry.ts";
import type { Daemon } from "../cluster/daemon.ts";

/** Errors said by a correct process in a broken world. */
const EXPECTED = [
  /^read-only: /,
  /^mute: the store's space/,
  /^no launches until the store has room/,
  /^the journal is (low|stalled)/,
  /^the leader sends this agent away/,
];
/** On lines that are no log lines: node and its programs say so when something was overlooked. */
const OVERLOOKED = /unhandled|uncaught|assertion|FATAL ERROR|^\s*(TypeError|ReferenceError|RangeError|SyntaxError)\b|ERR_[A-Z_]+/i;
const LOOK_MS = 25;

export interface Line {
  readonly level: string;
  readonly msg: string;
  readonly epoch?: string;
  readonly end?: string;
  readonly error?: unknown;
  readonly detail?: unknown;
  /** See collect-garbage.ts. */
  readonly heldMb?: number;
}

export class LogWatcher {
  readonly #daemons: readonly Daemon[];
  readonly #recorder: Recorder;
  readonly #tails: Map<Daemon, Tail>;
  readonly #timer: NodeJS.Timeout;
  readonly #listeners = new Set<(name: string, line: Line) => void>();

  constructor(daemons: readonly Daemon[], recorder: Recorder) {
    this.#daemons = daemons;
    this.#recorder = recorder;
    this.#tails = new Map(daemons.map((daemon) => [daemon, new Tail(daemon.logFile)]));
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Calls back with each line of each daemon, as a message where it is none of the log's; returns what ends that. */
  onLine(listener: (name: string, line: Line) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#look();
  }

  #look(): void {
    for (const daemon of this.#daemons) for (const line of this.#tails.get(daemon)!.read()) this.#line(daemon.name, line);
  }

  #line(name: string, text: string): void {
    const line = parse(text);
    if (line === undefined) {
      if (OVERLOOKED.test(text)) this.#complain(name, text);
      for (const listener of this.#listeners) listener(name, { level: "", msg: text });
      return;
    }
    // etcd's members log in their own way, and their troubles are not ours.
    if (name.startsWith("etcd/")) return;
    for (const listener of this.#listeners) listener(name, line);
    const unexpected = line.level === "error" && !EXPECTED.some((expected) => expected.test(line.msg));
    if (unexpected || OVERLOOKED.test(line.msg)) this.#complain(name, `${line.msg} ${JSON.stringify(line.error ?? line.detail ?? {})}`);
    for (const [mark, pattern] of Object.entries(loggedMarks)) if (pattern.test(line.msg)) this.#say(name, "mark", { name: mark });
    if (name.startsWith("master/")) this.#ofMaster(name, line);
  }

  #ofMaster(name: string, { msg, epoch, end }: Line): void {
    const master = name.slice("master/".length);
    if (msg === "leading") this.#say(name, "leads", { master }, epoch);
    if (msg !== "leadership ended") return;
    this.#say(name, "leadsNoMore", { master, why: end ?? "" }, epoch);
    // Its last transaction was refused: the fence held.
    if (end === "deposed") this.#say(name, "fenced", { master });
  }

  #complain(name: string, message: string): void {
    this.#say(name, "complaint", { of: name, message: message.slice(0, 2_000) });
  }

  #say(actor: string, op: string, value: object, epoch?: string): void {
    this.#recorder.record({ actor, kind: "observe", op, value, ...(epoch !== undefined && { epoch }) } as unknown as Unrecorded);
  }
}

/** The whole lines that were added to a file since the last look. */
class Tail {
  readonly #path: string;
  readonly #decoder = new StringDecoder("utf8");
  readonly #piece = Buffer.allocUnsafe(64 * 1024);
  #file: number | undefined;
  #rest = "";

  constructor(path: string) {
    this.#path = path;
  }

  read(): string[] {
    if (this.#file === undefined && existsSync(this.#path)) this.#file = openSync(this.#path, "r");
    if (this.#file === undefined) return [];
    const lines: string[] = [];
    for (let size = readSync(this.#file, this.#piece); size > 0; size = readSync(this.#file, this.#piece)) {
      const parts = (this.#rest + this.#decoder.write(this.#piece.subarray(0, size))).split("\n");
      this.#rest = parts.pop()!;
      lines.push(...parts);
    }
    return lines;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

function parse(text: string): Line | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}
