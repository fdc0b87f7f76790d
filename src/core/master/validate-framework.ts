/** Checks on what a framework says about itself, in the order and with the outcome Mesos has (Mesos 4.2, 7.3). */
import { idError } from "../../model/ids.ts";
import { roleError } from "../../model/roles.ts";
import type { Call, OfferConstraints } from "../../wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { FrameworkInfo } from "../../wire/gen/mesos/v1/mesos.ts";
import { capabilitiesOf, rolesOf } from "./framework-info.ts";

/** Seconds that still fit a signed 64-bit count of nanoseconds, as Mesos keeps durations. */
const MAX_DURATION_SECONDS = 2 ** 63 / 1e9;

/** Why a SUBSCRIBE is malformed: status 400 over HTTP. Needs no state, so a door may ask before it opens a stream. */
export function subscribeCallError(call: Call, principal: string): string | undefined {
  const info = call.subscribe?.frameworkInfo;
  if (info === undefined) return "Expecting 'subscribe' with 'framework_info' to be present";
  if (info.user === undefined || info.name === undefined) return "Expecting 'framework_info' to have 'user' and 'name'";
  const called = call.frameworkId?.value ?? "";
  if (call.frameworkId !== undefined && called !== (info.id?.value ?? "")) {
    return "'framework_id' differs from 'subscribe.framework_info.id'";
  }
  return principalError(info, principal);
}

/** @param principal who the caller is; empty when nobody is asked to say. */
export function principalError(info: FrameworkInfo, principal: string): string | undefined {
  if (principal === "" || info.principal === undefined || info.principal === principal) return undefined;
  return `Authenticated principal '${principal}' does not match principal '${info.principal}' set in FrameworkInfo`;
}

/** Why a well-formed subscription is refused: an ERROR event, or 400 to UPDATE_FRAMEWORK. */
export function frameworkError(
  info: FrameworkInfo,
  suppressedRoles: readonly string[],
  constraints: OfferConstraints | undefined,
): string | undefined {
  return (
    rolesError(info) ??
    suppressedError(info, suppressedRoles) ??
    idFieldError(info.id?.value ?? "") ??
    failoverTimeoutError(info.failoverTimeout) ??
    constraintsError(constraints)
  );
}

/** What UPDATE_FRAMEWORK may not change (Mesos 5). */
export function immutableFieldError(before: FrameworkInfo | undefined, after: FrameworkInfo): string | undefined {
  if ((before?.user ?? "") !== (after.user ?? "")) return "Updating 'FrameworkInfo.user' is unsupported";
  if ((before?.checkpoint ?? false) !== (after.checkpoint ?? false)) {
    return "Updating 'FrameworkInfo.checkpoint' is unsupported";
  }
  if (after.principal !== undefined && after.principal !== (before?.principal ?? "")) {
    return "Changing framework's principal is not allowed";
  }
  return undefined;
}

function rolesError(info: FrameworkInfo): string | undefined {
  if (capabilitiesOf(info).has("MULTI_ROLE")) {
    if (info.role !== undefined) return "Invalid FrameworkInfo: 'role' must not be set with MULTI_ROLE; use 'roles'";
  } else if (info.roles.length > 0) {
    return "Invalid FrameworkInfo: 'roles' needs the capability MULTI_ROLE; use 'role'";
  }
  const seen = new Set<string>();
  for (const role of rolesOf(info)) {
    if (seen.has(role)) return `Invalid FrameworkInfo: role '${role}' appears twice`;
    seen.add(role);
    const error = roleError(role);
    if (error !== undefined) return `Invalid FrameworkInfo: ${error}`;
  }
  return undefined;
}

function suppressedError(info: FrameworkInfo, suppressedRoles: readonly string[]): string | undefined {
  const roles = rolesOf(info);
  const stray = suppressedRoles.find((role) => !roles.includes(role));
  return stray === undefined ? undefined : `Suppressed role '${stray}' is not one of the framework's roles`;
}

function failoverTimeoutError(seconds: number | undefined): string | undefined {
  if (seconds === undefined || (seconds >= 0 && seconds < MAX_DURATION_SECONDS)) return undefined;
  return `The framework failover_timeout (${seconds}) is invalid`;
}

function constraintsError(constraints: OfferConstraints | undefined): string | undefined {
  const any = Object.keys(constraints?.roleConstraints ?? {}).length > 0;
  return any ? "Offer constraints are not supported by this version" : undefined;
}

function idFieldError(id: string): string | undefined {
  const error = id === "" ? undefined : idError(id);
  return error === undefined ? undefined : `Framework ${error}`;
}
