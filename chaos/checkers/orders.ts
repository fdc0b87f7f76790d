/** Part of I3: what operators set is as they said last, under every leader, until somebody says otherwise. */
import type { Call } from "../history/calls.ts";
import type { Evidence } from "./evidence.ts";
import { at, type Commit, isRestored } from "./registry-log.ts";
import type { Tally } from "./verdict.ts";

/** The registry's watcher may tell of a change this long after it was answered. */
const WATCH_LAG_MS = 5_000;

type Value = boolean | number;

/** One thing that operators set, through all revisions that wrote it. */
interface Setting {
  readonly what: string;
  readonly unset: Value;
  readonly versions: readonly { readonly revision: number; readonly commit: Commit; readonly value: Value }[];
  readonly orders: readonly Order[];
}

interface Order {
  readonly call: Call<"setActive"> | Call<"setWeight">;
  readonly value: Value;
}

/** Tested: orders that were answered, and changes. */
export function settings(tally: Tally, evidence: Evidence): void {
  const activations = Map.groupBy(evidence.calls("setActive"), ({ value }) => value.agent);
  for (const [agent, all] of evidence.registry.agents) {
    const orders = (activations.get(agent) ?? []).map((call) => ({ call, value: call.value.active }));
    const versions = all.filter(({ standing, active }) => standing === undefined || active !== undefined).map((version) => ({ ...version, value: version.active ?? true }));
    judge(tally, { what: `whether ${agent} is in service`, unset: true, versions, orders });
  }
  const weights = Map.groupBy(evidence.calls("setWeight"), ({ value }) => value.role);
  for (const role of new Set([...weights.keys(), ...evidence.registry.weights.keys()])) {
    const versions = (evidence.registry.weights.get(role) ?? []).map((version) => ({ ...version, value: version.weight ?? 1 }));
    judge(tally, { what: `the weight of ${role}`, unset: 1, versions, orders: (weights.get(role) ?? []).map((call) => ({ call, value: call.value.weight })) });
  }
}

function judge(tally: Tally, { what, unset, versions, orders }: Setting): void {
  for (const order of orders) {
    const { call, value } = order;
    if (call.outcome !== "ok" || call.revision === undefined) continue;
    tally.tested();
    const then = at(versions, call.revision);
    const was = then?.value ?? unset;
    // Of one batch, the last order stands: who was overruled in it was so by what it wrote.
    const isOverruled = then?.revision === call.revision && orders.some((other) => other.value === was && overlap(other.call, call));
    if (was === value || isOverruled) continue;
    tally.violated(`${what} was said to be ${value} at revision ${call.revision}, where it is ${was}`, call.end);
  }
  for (const [index, version] of versions.entries()) {
    const before = versions[index - 1]?.value ?? unset;
    if (version.value === before || isRestored(version)) continue;
    tally.tested();
    const { t } = version.commit;
    const wasOrdered = orders.some(({ call, value }) => value === version.value && call.outcome !== "fail" && call.invokedAt <= t && call.endedAt >= t - WATCH_LAG_MS);
    if (!wasOrdered) tally.violated(`${what} became ${version.value} at revision ${version.revision}, and nobody had ordered it`, versions[index - 1]?.commit, version.commit);
  }
}

function overlap(a: Order["call"], b: Order["call"]): boolean {
  return a.outcome !== "fail" && a.invokedAt <= b.endedAt && a.endedAt >= b.invokedAt;
}
