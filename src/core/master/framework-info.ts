/** What a FrameworkInfo says in other words. */
import {
  type FrameworkInfo,
  FrameworkInfo_Capability_Type as CapabilityType,
} from "../../wire/gen/mesos/v1/mesos.ts";
import { UNRESERVED } from "../../model/resource-entries.ts";

const CAPABILITY_NAMES = new Map<number, string>(Object.entries(CapabilityType).map(([name, type]) => [type, name]));

/** Announced capabilities by name; numbers this version does not know are left out. */
export function capabilitiesOf(info: FrameworkInfo | undefined): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { type } of info?.capabilities ?? []) {
    const name = type === undefined || type <= 0 ? undefined : CAPABILITY_NAMES.get(type);
    if (name !== undefined) names.add(name);
  }
  return names;
}

/** The roles a framework is subscribed in: `roles` with MULTI_ROLE, else its one role. */
export function rolesOf(info: FrameworkInfo | undefined): readonly string[] {
  if (capabilitiesOf(info).has("MULTI_ROLE")) return info?.roles ?? [];
  return [info?.role ?? UNRESERVED];
}
