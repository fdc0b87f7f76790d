/**
 * What the quickstart runs: real work on the files of the checkout, and services that must not notice anything.
 *
 * Each program leaves its own evidence outside the cluster's books: a line when it starts, its result, its heartbeats.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { commandTask, type TaskInfo } from "../../src/sdk/index.ts";

export interface Job {
  readonly id: string;
  readonly input: string;
  readonly task: TaskInfo;
}

export interface Service {
  readonly id: string;
  readonly task: TaskInfo;
}

/** A job compresses one file, some times over so that it lasts, and leaves the result with the input's checksum. */
const JOB = [
  'echo "$$" >> "$EVIDENCE.starts"',
  "pass=0",
  'while [ "$pass" -lt "$PASSES" ]; do gzip -9nc "$INPUT" > "$EVIDENCE.gz.part"; pass=$((pass + 1)); sleep 0.5; done',
  'sha256sum < "$INPUT" > "$EVIDENCE.sha256"',
  'mv "$EVIDENCE.gz.part" "$EVIDENCE.gz"',
].join(" && ");

/** A service says once who it is, then that it lives, five times a second. */
const SERVICE = 'echo "$$" >> "$EVIDENCE.starts"; trap "echo TERM >> $EVIDENCE.signals" TERM HUP INT; while :; do date +%s%3N >> "$EVIDENCE.beats"; sleep 0.2; done';

/** The tracked files of a checkout worth compressing, largest first; all files of a copy without git. */
export function inputFiles(checkout: string, count: number): string[] {
  const listed = execFileSync("git", ["ls-files", "-z"], { cwd: checkout, encoding: "utf8", maxBuffer: 1 << 26 });
  return listed
    .split("\0")
    .filter((name) => name !== "" && existsSync(join(checkout, name)) && statSync(join(checkout, name)).isFile())
    .map((name) => ({ name, size: statSync(join(checkout, name)).size }))
    .sort((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1))
    .slice(0, count)
    .map(({ name }) => join(checkout, name));
}

export function jobs(files: readonly string[], evidence: string, passes: number): Job[] {
  mkdirSync(evidence, { recursive: true });
  return files.map((input, index) => {
    const id = `compress-${String(index + 1).padStart(3, "0")}`;
    const env = { INPUT: input, EVIDENCE: join(evidence, id), PASSES: String(passes) };
    return { id, input, task: commandTask({ id, name: "compress", command: JOB, cpus: 0.1, mem: 32, env }) };
  });
}

export function services(count: number, evidence: string): Service[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `service-${index + 1}`;
    return { id, task: commandTask({ id, name: "service", command: SERVICE, cpus: 0.1, mem: 32, env: { EVIDENCE: join(evidence, id) } }) };
  });
}

/** How often a program was started, by its own account. */
export function starts(evidence: string, id: string): string[] {
  return lines(join(evidence, `${id}.starts`));
}

/** What is wrong with a job's result; undefined when it is right. */
export function verifyJob(job: Job, evidence: string): string | undefined {
  const compressed = join(evidence, `${job.id}.gz`);
  if (!existsSync(compressed)) return "no result";
  const expected = createHash("sha256").update(readFileSync(job.input)).digest("hex");
  const actual = createHash("sha256").update(gunzipSync(readFileSync(compressed))).digest("hex");
  if (actual !== expected) return "the result does not decompress to the input";
  if (!readFileSync(join(evidence, `${job.id}.sha256`), "utf8").startsWith(expected)) return "the checksum is wrong";
  return undefined;
}

export interface ServiceEvidence {
  readonly pids: readonly string[];
  readonly signals: number;
  readonly beats: number;
  /** Longest time between two heartbeats, milliseconds. */
  readonly longestGapMs: number;
  /** Time of the last heartbeat, milliseconds since 1970. */
  readonly lastBeat: number;
}

export function serviceEvidence(service: Service, evidence: string): ServiceEvidence {
  const beats = lines(join(evidence, `${service.id}.beats`)).map(Number);
  let longestGapMs = 0;
  for (let at = 1; at < beats.length; at += 1) longestGapMs = Math.max(longestGapMs, beats[at]! - beats[at - 1]!);
  return {
    pids: starts(evidence, service.id),
    signals: lines(join(evidence, `${service.id}.signals`)).length,
    beats: beats.length,
    longestGapMs,
    lastBeat: beats.at(-1) ?? 0,
  };
}

function lines(path: string): string[] {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter((line) => line !== "") : [];
}
