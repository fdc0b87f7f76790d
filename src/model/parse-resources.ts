/** The text syntax of resources, as on command lines and in configuration (Mesos: `--resources`). */
import { type Checked, accept, refuse } from "./checked.ts";
import { parseItemSet } from "./item-sets.ts";
import { parseRanges } from "./ranges.ts";
import { type ResourceEntry, UNRESERVED, entryError, interned, nameError, valueText } from "./resource-entries.ts";
import { roleError } from "./roles.ts";
import { parseScalar } from "./scalars.ts";

/** Reads entries separated by `;`. Empty text, and empty parts, are no entries. */
export function parseEntries(text: string): Checked<ResourceEntry[]> {
  const entries: ResourceEntry[] = [];
  for (const part of text.split(";")) {
    if (part.trim() === "") continue;
    const entry = parseEntry(part.trim());
    if (!entry.ok) return refuse(`resource '${part.trim()}': ${entry.error}`);
    const other = entries.find(({ name, kind }) => name === entry.value.name && kind !== entry.value.kind);
    if (other !== undefined) return refuse(`resource '${part.trim()}': '${other.name}' is given with two types`);
    entries.push(entry.value);
  }
  return accept(entries);
}

export function entryText(entry: ResourceEntry): string {
  return `${entry.name}${entry.role === UNRESERVED ? "" : `(${entry.role})`}:${valueText(entry)}`;
}

/** Why resources cannot be reserved to a role, if so: beside the rules for roles, it must survive the text syntax. */
export function reservationRoleError(role: string): string | undefined {
  return roleError(role) ?? (/[();:]/.test(role) ? `role '${role}' contains one of ( ) ; :` : undefined);
}

function parseEntry(part: string): Checked<ResourceEntry> {
  const match = /^([^:()]*?)\s*(?:\(([^()]*)\))?\s*:(.*)$/s.exec(part);
  if (match === null) return refuse("is not of the form name:value or name(role):value");
  const [name, role, text] = [interned(match[1]!.trim()), interned(match[2]?.trim() ?? UNRESERVED), match[3]!.trim()];
  const error = nameError(name) ?? reservationRoleError(role);
  if (error !== undefined) return refuse(error);
  const entry = parseValue(name, role, text);
  if (!entry.ok) return entry;
  const problem = entryError(entry.value);
  return problem === undefined ? entry : refuse(problem);
}

function parseValue(name: string, role: string, text: string): Checked<ResourceEntry> {
  if (text.startsWith("[")) {
    const ranges = parseRanges(text);
    return ranges.ok ? accept({ kind: "ranges", name, role, value: ranges.value }) : ranges;
  }
  if (text.startsWith("{")) {
    const set = parseItemSet(text);
    return set.ok ? accept({ kind: "set", name, role, value: set.value }) : set;
  }
  const scalar = parseScalar(text);
  return scalar.ok ? accept({ kind: "scalar", name, role, value: scalar.value }) : scalar;
}
