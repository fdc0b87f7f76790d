/** Resources as Mesos messages: both reservation formats in, either out. */
import type { Resource } from "../wire/gen/mesos/v1/mesos.ts";
import { Resource_ReservationInfo_Type, Value_Type } from "../wire/gen/mesos/v1/mesos.ts";
import { type Checked, accept, refuse } from "./checked.ts";
import { rangesFromMesos, rangesToMesos } from "./mesos-values.ts";
import { itemSetOf } from "./item-sets.ts";
import { reservationRoleError } from "./parse-resources.ts";
import { type ResourceEntry, UNRESERVED, entryError, interned, meet, nameError } from "./resource-entries.ts";
import { thousandthsOf, unitsOf } from "./scalars.ts";

/** Entries of one message: checking them against each other takes the square of it. */
export const MAX_ENTRIES = 256;

/** How `Resources` are written as Mesos messages. */
export interface MesosForm {
  /** Role they are allocated to, written as `allocation_info`; absent: not written. */
  readonly allocationRole?: string | undefined;
  /** `role` (default), or the `reservations` that frameworks with RESERVATION_REFINEMENT get. */
  readonly reservations?: "role" | "refined" | undefined;
}

/** Reads resources, zero amounts left in; the error names the resource. `allocation_info` is not looked at. */
export function entriesFromMesos(resources: readonly Resource[]): Checked<ResourceEntry[]> {
  if (resources.length > MAX_ENTRIES) return refuse(`there are more than ${MAX_ENTRIES} resources`);
  const entries: ResourceEntry[] = [];
  for (const resource of resources) {
    const entry = entryFromMesos(resource);
    if (!entry.ok) return refuse(`resource '${resource.name ?? ""}': ${entry.error}`);
    const problem = clashOf(entries, entry.value);
    if (problem !== undefined) return refuse(`resource '${entry.value.name}': ${problem}`);
    entries.push(entry.value);
  }
  return accept(entries);
}

export function entryToMesos(entry: ResourceEntry, { allocationRole, reservations = "role" }: MesosForm): Resource {
  const out: Resource = { ...valueToMesos(entry), reservations: [] };
  if (reservations === "role") out.role = entry.role;
  else if (entry.role !== UNRESERVED) {
    out.reservations = [{ type: Resource_ReservationInfo_Type.STATIC, role: entry.role }];
  }
  if (allocationRole !== undefined) out.allocationInfo = { role: allocationRole };
  return out;
}

/** The one role that all of them are allocated to: undefined when none is, an error when it is not one. */
export function allocationRoleOf(resources: readonly Resource[]): Checked<string | undefined> {
  const roles = new Set(resources.map((resource) => resource.allocationInfo?.role));
  if (roles.size > 1) return refuse("resources are allocated to more than one role");
  return accept([...roles][0]);
}

function entryFromMesos(resource: Resource): Checked<ResourceEntry> {
  const name = interned(resource.name ?? "");
  const role = roleOf(resource);
  const error = nameError(name) ?? unsupported(resource) ?? (role.ok ? reservationRoleError(role.value) : role.error);
  if (error !== undefined || !role.ok) return refuse(error ?? "");
  const entry = valueFromMesos(name, role.value, resource);
  if (!entry.ok) return entry;
  const problem = entryError(entry.value);
  return problem === undefined ? entry : refuse(problem);
}

function unsupported(resource: Resource): string | undefined {
  if (resource.disk?.persistence !== undefined || resource.disk?.volume !== undefined) {
    return "persistent volumes are not supported";
  }
  if (resource.disk?.source !== undefined) return "disk sources are not supported";
  if (resource.revocable !== undefined) return "revocable resources are not supported";
  if (resource.shared !== undefined) return "shared resources are not supported";
  if (resource.providerId !== undefined) return "resource providers are not supported";
  return undefined;
}

/** The role it is reserved to, from whichever format it uses; both may be present when they agree. */
function roleOf(resource: Resource): Checked<string> {
  if (resource.reservation !== undefined) return refuse("dynamic reservations are not supported");
  if (resource.reservations.length > 1) return refuse("refined reservations are not supported");
  const old = resource.role ?? UNRESERVED;
  const reservation = resource.reservations[0];
  if (reservation === undefined) return accept(interned(old));
  const { type, role = "" } = reservation;
  if (type === Resource_ReservationInfo_Type.DYNAMIC) return refuse("dynamic reservations are not supported");
  if (type !== Resource_ReservationInfo_Type.STATIC) return refuse("a reservation has no type");
  if (role === UNRESERVED) return refuse("a reservation to role '*' is no reservation");
  if (old !== UNRESERVED && old !== role) return refuse(`role '${old}' contradicts the reservation to '${role}'`);
  return accept(role);
}

function valueFromMesos(name: string, role: string, resource: Resource): Checked<ResourceEntry> {
  const { type, scalar, ranges, set } = resource;
  const given = [scalar, ranges, set].filter((value) => value !== undefined).length;
  if (type === undefined) return refuse("type is missing");
  if (type === Value_Type.SCALAR && scalar !== undefined && given === 1) {
    if (scalar.value === undefined) return refuse("scalar has no value");
    const value = thousandthsOf(scalar.value);
    return value.ok ? accept({ kind: "scalar", name, role, value: value.value }) : value;
  }
  if (type === Value_Type.RANGES && ranges !== undefined && given === 1) {
    const value = rangesFromMesos(ranges);
    return value.ok ? accept({ kind: "ranges", name, role, value: value.value }) : value;
  }
  if (type === Value_Type.SET && set !== undefined && given === 1) {
    const value = itemSetOf(set.item);
    return value.ok ? accept({ kind: "set", name, role, value: value.value }) : value;
  }
  return refuse("type and value do not match");
}

/** What is wrong with an entry beside those already read, if anything. */
function clashOf(others: readonly ResourceEntry[], entry: ResourceEntry): string | undefined {
  for (const other of others) {
    if (other.name !== entry.name) continue;
    if (other.kind !== entry.kind) return "is given with two types";
    if (other.role === entry.role && meet(other, entry)) return "is given twice with something in common";
  }
  return undefined;
}

function valueToMesos(entry: ResourceEntry): Omit<Resource, "reservations"> {
  const { name } = entry;
  switch (entry.kind) {
    case "scalar":
      return { name, type: Value_Type.SCALAR, scalar: { value: unitsOf(entry.value) } };
    case "ranges":
      return { name, type: Value_Type.RANGES, ranges: rangesToMesos(entry.value) };
    case "set":
      return { name, type: Value_Type.SET, set: { item: [...entry.value] } };
  }
}
