import test from "ava";
import {
  attributesFromMesos,
  attributesText,
  attributesToMesos,
  parseAttributes,
} from "../../src/model/attributes.ts";
import { parseConstraint, satisfies } from "../../src/model/constraints.ts";

const text = "rack:r1;zone:eu:west;cores:16.5;ports:[1-9];tags:{a,b}";

function attributes(source: string) {
  const parsed = parseAttributes(source);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

test("attributes take their type from the value", (t) => {
  t.deepEqual(attributes(text), [
    { name: "rack", kind: "text", value: "r1" },
    { name: "zone", kind: "text", value: "eu:west" },
    { name: "cores", kind: "scalar", value: 16_500 },
    { name: "ports", kind: "ranges", value: [1, 9] },
    { name: "tags", kind: "set", value: ["a", "b"] },
  ]);
  t.is(attributesText(attributes(text)), text);
});

test("attributes go through Mesos messages unchanged", (t) => {
  t.deepEqual(attributesFromMesos(attributesToMesos(attributes(text))), { ok: true, value: attributes(text) });
  t.deepEqual(attributesFromMesos([{ name: "rack" }]), {
    ok: false,
    error: "attribute 'rack': type and value do not match",
  });
});

test("malformed attributes are refused with the reason", (t) => {
  for (const [source, error] of [
    ["rack", "attribute 'rack': is not of the form name:value"],
    ["rack:", "attribute 'rack:': the value is empty"],
    [":x", "attribute ':x': the name is empty or contains white space, ':' or ';'"],
    ["a:1;a:2", "attribute 'a:2': the name is given twice"],
    ["a:-1", "attribute 'a:-1': -1 is negative"],
    ["a:[5-1]", "attribute 'a:[5-1]': range 5-1 begins after its end"],
  ] as const) {
    t.deepEqual(parseAttributes(source), { ok: false, error });
  }
});

const agent = { hostname: "node-7.example.org", attributes: attributes("rack:r1;cores:16;tags:{b,a}") };

for (const [constraint, expected] of [
  ["hostname:EQUALS:node-7.example.org", true],
  ["hostname:equals:node-8.example.org", false],
  ["rack:CLUSTER:r1", true],
  ["rack:EQUALS:r", false],
  ["rack:LIKE:r[1-3]", true],
  ["rack:LIKE:r", false],
  ["hostname:LIKE:node-\\d+\\..*", true],
  ["rack:LIKE:r2|r1", true],
  ["rack:UNLIKE:r[2-3]", true],
  ["rack:UNLIKE:r[1-3]", false],
  ["zone:UNLIKE:a", true],
  ["zone:LIKE:.*", false],
  ["zone:EQUALS:", false],
  ["cores:IS:16.0", true],
  ["cores:EQUALS:16.0", false],
  ["tags:IS:{a,b}", true],
  ["tags:IS:{a}", false],
] as const) {
  test(`constraint ${constraint} is ${expected}`, (t) => {
    const parsed = parseConstraint(constraint);
    t.true(parsed.ok, parsed.ok ? "" : parsed.error);
    t.is(parsed.ok && satisfies(agent, [parsed.value]), expected);
  });
}

test("malformed constraints are refused with the reason", (t) => {
  for (const [source, error] of [
    ["rack", /field:OPERATOR:value/],
    ["rack:EQUALS", /field:OPERATOR:value/],
    [":EQUALS:x", /field:OPERATOR:value/],
    ["rack:UNIQUE:x", /unknown operator 'UNIQUE'/],
    ["rack:LIKE:(", /Invalid regular expression/],
    [`rack:LIKE:${"x".repeat(257)}`, /longer than 256/],
    ["cores:IS:[9-1]", /begins after its end/],
  ] as const) {
    const parsed = parseConstraint(source);
    t.regex(parsed.ok ? "" : parsed.error, error);
  }
});
