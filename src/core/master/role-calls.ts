/** REVIVE and SUPPRESS. Which roles are suppressed is durable, so that a view of the cluster shows it after a failover. */
import * as allocation from "./allocation.ts";
import { rolesOf } from "./framework-info.ts";
import type { FrameworkStream, MasterState } from "./state.ts";
import type { Tx } from "./tx.ts";

/** @param roles none: all the framework is subscribed in. */
export function revive(state: MasterState, tx: Tx, stream: FrameworkStream, roles: readonly string[]): void {
  const concerned = concernedRoles(state, stream, roles);
  if (concerned === undefined) return;
  setSuppressed(state, tx, stream, (suppressed) => suppressed.filter((role) => !concerned.includes(role)));
  state.allocator.revive(stream.frameworkId, concerned);
  allocation.request(state, tx.now);
}

/** @param roles none: all the framework is subscribed in. */
export function suppress(state: MasterState, tx: Tx, stream: FrameworkStream, roles: readonly string[]): void {
  const concerned = concernedRoles(state, stream, roles);
  if (concerned === undefined) return;
  setSuppressed(state, tx, stream, (suppressed) => [...new Set([...suppressed, ...concerned])]);
  state.allocator.suppress(stream.frameworkId, concerned);
}

/** With any role that is not the framework's, Mesos drops the whole call without a word (Mesos 5). */
function concernedRoles(
  state: MasterState,
  stream: FrameworkStream,
  roles: readonly string[],
): readonly string[] | undefined {
  const own = rolesOf(state.tables.frameworks.get(stream.frameworkId)?.info);
  if (roles.length === 0) return own;
  return roles.every((role) => own.includes(role)) ? roles : undefined;
}

function setSuppressed(
  state: MasterState,
  tx: Tx,
  stream: FrameworkStream,
  change: (suppressed: readonly string[]) => string[],
): void {
  const record = state.tables.frameworks.get(stream.frameworkId);
  if (record === undefined) return;
  const suppressedRoles = change(record.suppressedRoles);
  if (suppressedRoles.length === record.suppressedRoles.length) return;
  tx.put({ kind: "f", id: stream.frameworkId, record: { ...record, suppressedRoles } });
}
