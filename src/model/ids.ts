/** Ids: the syntax of foreign ones, and making and reading those a leader issues (rule 1.4). */
import { type Epoch, compareEpochs, epochText } from "../base/epoch.ts";

/** Longest id accepted, in bytes of UTF-8: ids become file names. */
export const MAX_ID_BYTES = 255;

/** Why a framework, agent, task or executor id is not acceptable, if so (Mesos: common id validation). */
export function idError(id: string): string | undefined {
  if (id === "") return "ID must not be empty";
  // The length in characters spares the count for what is far too long.
  if (id.length > MAX_ID_BYTES || utf8Length(id) > MAX_ID_BYTES) return `ID is longer than ${MAX_ID_BYTES} bytes`;
  if (id === "." || id === "..") return `'${id}' is disallowed as an ID`;
  if (/[/\\\x00-\x1f\x7f]/.test(id)) return `ID '${id}' contains '/', '\\' or a control character`;
  return undefined;
}

/** What all ids of one leadership share. `nonce`: lower case letters and digits, random for each leadership. */
export interface Issuer {
  readonly epoch: Epoch;
  readonly nonce: string;
}

export type IssuedKind = "framework" | "agent" | "offer";

export interface IssuedId extends Issuer {
  readonly kind: IssuedKind;
  /** From 0, counted per leadership and kind. */
  readonly number: number;
}

/** `<generation>-<revision>-<nonce>-0007`: padded to four digits, as in Mesos. */
export function frameworkId(issuer: Issuer, number: number): string {
  return `${epochText(issuer.epoch)}-${issuer.nonce}-${String(number).padStart(4, "0")}`;
}

/** `<generation>-<revision>-<nonce>-S7` */
export function agentId(issuer: Issuer, number: number): string {
  return `${epochText(issuer.epoch)}-${issuer.nonce}-S${number}`;
}

/** `<generation>-<revision>-<nonce>-O7` */
export function offerId(issuer: Issuer, number: number): string {
  return `${epochText(issuer.epoch)}-${issuer.nonce}-O${number}`;
}

const ISSUED = /^(0|[1-9]\d{0,15})-(0|[1-9]\d{0,15})-([0-9a-z]+)-(\d{4}|[1-9]\d{4,15}|[SO](?:0|[1-9]\d{0,15}))$/;

/** Reads an id of our own form; undefined for any other. */
export function parseIssuedId(id: string): IssuedId | undefined {
  const match = ISSUED.exec(id);
  if (match === null) return undefined;
  const [, generation, revision, nonce, last] = match as unknown as [string, string, string, string, string];
  const kind = last.startsWith("S") ? "agent" : last.startsWith("O") ? "offer" : "framework";
  const number = Number(kind === "framework" ? last : last.slice(1));
  const epoch = { generation: Number(generation), revision: Number(revision) };
  const safe = [epoch.generation, epoch.revision, number].every(Number.isSafeInteger);
  return safe ? { kind, epoch, nonce, number } : undefined;
}

/**
 * Whether an id of our form belongs to a leadership that this registry remembers wholly, so that no row means "removed"
 * (rule 1.4): up to the present epoch, or, for an older generation, before the last epoch known when the present
 * generation began. What was issued between a backup and its restore is not remembered, and that may have been by the
 * very leadership that the backup ends in.
 */
export function issuedWithin(id: Issuer, present: Epoch, lastBeforeGeneration: Epoch): boolean {
  if (id.epoch.generation === present.generation) return compareEpochs(id.epoch, present) <= 0;
  return compareEpochs(id.epoch, lastBeforeGeneration) < 0;
}

/** Whether a text is a launch id: 128 random bits as 32 lower case hex digits (rule 1.5). */
export function isLaunchId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
