import test from "ava";
import fc from "fast-check";
import { Resources } from "../../src/model/resources.ts";
import { allocationRoleOf } from "../../src/model/mesos-resources.ts";
import { type Resource, Resource_ReservationInfo_Type, Value_Type } from "../../src/wire/gen/mesos/v1/mesos.ts";
import { someResources } from "./arbitraries.ts";

function parsed(text: string): Resources {
  const resources = Resources.parse(text);
  if (!resources.ok) throw new Error(resources.error);
  return resources.value;
}

const cpus = (value: number | undefined): Resource => ({
  name: "cpus",
  type: Value_Type.SCALAR,
  scalar: { value },
  reservations: [],
});

const ports = (...pairs: [bigint, bigint][]): Resource => ({
  name: "ports",
  type: Value_Type.RANGES,
  ranges: { range: pairs.map(([begin, end]) => ({ begin, end })) },
  reservations: [],
});

const disks = (...item: string[]): Resource => ({ name: "disks", type: Value_Type.SET, set: { item }, reservations: [] });

test("the text syntax has scalars, ranges, sets and static reservations", (t) => {
  const resources = parsed(" cpus:24 ; mem:1024.5;ports:[31000-32000, 80-80];disks:{b, a}; cpus(ads):4;gpus:2");
  t.is(resources.toString(), "cpus:24;cpus(ads):4;disks:{a,b};gpus:2;mem:1024.5;ports:[80-80,31000-32000]");
  t.is(resources.scalar("cpus"), 28_000);
  t.deepEqual([...resources.quantities()], [
    ["cpus", 28_000],
    ["disks", 2_000],
    ["gpus", 2_000],
    ["mem", 1_024_500],
    ["ports", 1_002_000],
  ]);
});

test("repeated entries in text are added up, and nothing is left out", (t) => {
  t.is(parsed("cpus:1;cpus:0.5;mem:0;ports:[];disks:{}").toString(), "cpus:1.5");
  t.is(parsed("ports:[1-5,3-7];ports:[8-9]").toString(), "ports:[1-9]");
  t.true(parsed("").isEmpty);
});

for (const [text, error] of [
  ["cpus", "resource 'cpus': is not of the form name:value or name(role):value"],
  [":1", "resource ':1': a resource has no name"],
  ["cpus:-1", "resource 'cpus:-1': -1 is negative"],
  ["cpus:x", "resource 'cpus:x': 'x' is not a number"],
  ["cpus:NaN", "resource 'cpus:NaN': 'NaN' is not a number"],
  ["cpus:Infinity", "resource 'cpus:Infinity': 'Infinity' is not a number"],
  ["cpus:1e999", "resource 'cpus:1e999': Infinity is not a finite number"],
  ["cpus:0.0001", "resource 'cpus:0.0001': 0.0001 is below the granularity of 0.001"],
  ["cpus:1e13", "resource 'cpus:1e13': 10000000000000 is above the limit of 1000000000000"],
  ["gpus:1.5", "resource 'gpus:1.5': gpus must be a whole number"],
  ["ports:[9-1]", "resource 'ports:[9-1]': range 9-1 begins after its end"],
  ["ports:[1-2", "resource 'ports:[1-2': '[1-2' is not a list of ranges, such as [31000-32000]"],
  ["ports:[1]", "resource 'ports:[1]': '1' is not a range, such as 31000-32000"],
  ["ports:[1-9007199254740992]", "resource 'ports:[1-9007199254740992]': range 1-9007199254740992 is not within 0 to 2^53 - 1"],
  ["disks:{a,a}", "resource 'disks:{a,a}': set item 'a' appears twice"],
  ["cpus(/a):1", "resource 'cpus(/a):1': role '/a' begins or ends with '/'"],
  ["cpus():1", "resource 'cpus():1': a role must not be empty"],
  ["cpus:1;cpus:[1-2]", "resource 'cpus:[1-2]': 'cpus' is given with two types"],
] as const) {
  test(`text is refused: ${text}`, (t) => {
    t.deepEqual(Resources.parse(text), { ok: false, error });
  });
}

test("scalars are rounded to thousandths and leave no dust (PrecisionRounding)", (t) => {
  const read = Resources.fromMesos([cpus(1.5015), cpus(0.1)]);
  t.is(read.ok && read.value.scalar("cpus"), 1_602);
  let many = parsed("cpus:10");
  for (let i = 0; i < 99; i++) many = many.subtract(parsed("cpus:0.1"))!;
  t.is(many.toString(), "cpus:0.1");
});

for (const [what, resources, error] of [
  ["negative", [cpus(-1)], "resource 'cpus': -1 is negative"],
  ["NaN", [cpus(NaN)], "resource 'cpus': NaN is not a finite number"],
  ["infinite", [cpus(Infinity)], "resource 'cpus': Infinity is not a finite number"],
  ["minus infinite", [cpus(-Infinity)], "resource 'cpus': -Infinity is not a finite number"],
  ["dust", [cpus(0.0009)], "resource 'cpus': 0.0009 is below the granularity of 0.001"],
  ["without value", [cpus(undefined)], "resource 'cpus': scalar has no value"],
  ["without name", [{ ...cpus(1), name: undefined }], "resource '': a resource has no name"],
  ["without type", [{ ...cpus(1), type: undefined }], "resource 'cpus': type is missing"],
  ["of another type", [{ ...cpus(1), type: Value_Type.SET }], "resource 'cpus': type and value do not match"],
  ["of text type", [{ ...cpus(1), type: Value_Type.TEXT }], "resource 'cpus': type and value do not match"],
  ["with two values", [{ ...cpus(1), set: { item: [] } }], "resource 'cpus': type and value do not match"],
  ["with two types", [cpus(1), { ...disks("a"), name: "cpus" }], "resource 'cpus': is given with two types"],
  ["reversed", [ports([5n, 4n])], "resource 'ports': range 5-4 begins after its end"],
  ["overlapping", [ports([1n, 5n], [5n, 9n])], "resource 'ports': ranges overlap"],
  ["overlapping in two", [ports([1n, 5n]), ports([5n, 9n])], "resource 'ports': is given twice with something in common"],
  ["beyond 2^53", [ports([1n, 1n << 53n])], "resource 'ports': range 1-9007199254740992 is not within 0 to 2^53 - 1"],
  ["with equal items", [disks("a", "b", "a")], "resource 'disks': set item 'a' appears twice"],
  ["a part of a gpu", [{ ...cpus(0.5), name: "gpus" }], "resource 'gpus': gpus must be a whole number"],
  ["too many", Array<Resource>(257).fill(cpus(1)), "there are more than 256 resources"],
  ["of too many ranges", [ports(...Array<[bigint, bigint]>(10_001).fill([1n, 1n]))], "resource 'ports': there are more than 10000 ranges"],
  ["of too many items", [disks(...Array<string>(1_001).fill("a"))], "resource 'disks': a set has more than 1000 items"],
  ["revocable", [{ ...cpus(1), revocable: {} }], "resource 'cpus': revocable resources are not supported"],
  ["dynamically reserved", [{ ...cpus(1), reservation: {} }], "resource 'cpus': dynamic reservations are not supported"],
  [
    "contradicting",
    [{ ...cpus(1), role: "a", reservations: [{ type: Resource_ReservationInfo_Type.STATIC, role: "b" }] }],
    "resource 'cpus': role 'a' contradicts the reservation to 'b'",
  ],
] as const) {
  test(`a Mesos resource is refused: ${what}`, (t) => {
    t.deepEqual(Resources.fromMesos(resources as unknown as Resource[]), { ok: false, error });
  });
}

test("both reservation formats are read and written", (t) => {
  const resources = parsed("cpus(ads):4;mem:10");
  const old = resources.toMesos({ allocationRole: "ads/web" });
  t.deepEqual(old[0], {
    name: "cpus",
    type: Value_Type.SCALAR,
    scalar: { value: 4 },
    role: "ads",
    allocationInfo: { role: "ads/web" },
    reservations: [],
  });
  const refined = resources.toMesos({ reservations: "refined" });
  t.deepEqual(refined[0]?.reservations, [{ type: Resource_ReservationInfo_Type.STATIC, role: "ads" }]);
  t.is(refined[1]?.role, undefined);
  for (const form of [old, refined]) {
    const read = Resources.fromMesos(form);
    t.true(read.ok && read.value.equals(resources));
  }
  t.deepEqual(allocationRoleOf(old), { ok: true, value: "ads/web" });
  t.deepEqual(allocationRoleOf(refined), { ok: true, value: undefined });
  t.false(allocationRoleOf([...old, ...refined]).ok);
});

test("a role may use what is unreserved, its own, and its ancestors'", (t) => {
  const resources = parsed("cpus:1;cpus(a):2;cpus(a/b):4;cpus(ab):8");
  t.is(resources.usableBy("a/b").toString(), "cpus:1;cpus(a):2;cpus(a/b):4");
  t.is(resources.usableBy("a").toString(), "cpus:1;cpus(a):2");
  t.is(resources.usableBy("z").toString(), "cpus:1");
  t.is(resources.unreserved().toString(), "cpus:1");
  t.is(resources.reservedTo("a").toString(), "cpus(a):2");
});

test("reservations never merge and never stand in for one another", (t) => {
  t.false(parsed("cpus(a):4").contains(parsed("cpus:1")));
  t.is(parsed("cpus(a):4").subtract(parsed("cpus:1")), undefined);
  t.false(parsed("cpus:4").equals(parsed("cpus(a):4")));
});

test("property: adding is commutative, and associative", (t) => {
  fc.assert(
    fc.property(someResources, someResources, someResources, (a, b, c) => {
      t.true(a.add(b).equals(b.add(a)));
      t.true(a.add(b).add(c).equals(a.add(b.add(c))));
    }),
  );
  t.pass();
});

test("property: what was added can be taken away again, unless a range or set had it already", (t) => {
  fc.assert(
    fc.property(someResources, someResources, (a, b) => {
      t.true(a.add(b).contains(b));
      if (!a.meets(b)) t.is(a.add(b).subtract(b)?.toString(), a.toString());
    }),
  );
});

test("property: subtract succeeds exactly when contained, and the rest makes it whole", (t) => {
  fc.assert(
    fc.property(someResources, someResources, (a, b) => {
      const rest = a.subtract(b);
      t.is(rest !== undefined, a.contains(b));
      if (rest !== undefined) {
        t.true(rest.add(b).equals(a));
        t.false(rest.meets(b));
      }
    }),
  );
});

test("property: text and Mesos forms read back as the same value", (t) => {
  fc.assert(
    fc.property(someResources, (a) => {
      t.true(parsed(a.toString()).equals(a));
      for (const reservations of ["role", "refined"] as const) {
        const read = Resources.fromMesos(a.toMesos({ reservations }));
        t.true(read.ok && read.value.equals(a));
      }
    }),
  );
});
