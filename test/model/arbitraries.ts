import fc from "fast-check";
import { Resources } from "../../src/model/resources.ts";
import type { ResourceEntry } from "../../src/model/resource-entries.ts";
import { coalesce } from "../../src/model/ranges.ts";

const roles = fc.constantFrom("*", "a", "a/b", "c");

const scalar = fc.record({
  kind: fc.constant("scalar" as const),
  name: fc.constantFrom("cpus", "mem", "disk"),
  role: roles,
  value: fc.integer({ min: 0, max: 100_000 }),
});

const ranges = fc.record({
  kind: fc.constant("ranges" as const),
  name: fc.constant("ports"),
  role: roles,
  value: fc
    .array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 8 })), { maxLength: 5 })
    .map((pairs) => coalesce(pairs.flatMap(([begin, length]) => [begin, begin + length]))),
});

const set = fc.record({
  kind: fc.constant("set" as const),
  name: fc.constant("disks"),
  role: roles,
  value: fc.uniqueArray(fc.constantFrom("sda", "sdb", "sdc", "sdd"), { maxLength: 4 }).map((items) => items.sort()),
});

/** Any resources over a few names and roles, so that they often have something in common. */
export const someResources = fc
  .array(fc.oneof(scalar, ranges, set) as fc.Arbitrary<ResourceEntry>, { maxLength: 6 })
  .map((entries) => Resources.of(entries));
