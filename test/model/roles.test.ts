import test from "ava";
import { ancestorsOf, isWithin, roleError, topLevelOf } from "../../src/model/roles.ts";

test("role names (role_tests: Validate)", (t) => {
  for (const role of ["*", "foo", "foo/bar", "foo/bar/baz", "foo-bar", ".foo", "...", "f*o", "a.b"]) {
    t.is(roleError(role), undefined, role);
  }
  for (const role of ["", "/", "/foo", "foo/", "foo//bar", ".", "..", "foo/..", "foo/*", "*/foo", "-foo", "a/-b", "a b", "a\tb", "a\bb"]) {
    t.is(typeof roleError(role), "string", JSON.stringify(role));
  }
});

test("Mesos 7.3: a role has at most 32 parts and 255 bytes", (t) => {
  t.is(roleError(Array.from({ length: 32 }, () => "a").join("/")), undefined);
  t.regex(roleError(Array.from({ length: 33 }, () => "a").join("/")) ?? "", /more than 32 parts/);
  t.is(roleError("x".repeat(255)), undefined);
  for (const role of ["x".repeat(256), "ü".repeat(128), `a/${"x".repeat(900_000)}`]) {
    t.is(roleError(role), "a role is longer than 255 bytes");
  }
});

test("hierarchy", (t) => {
  t.deepEqual(ancestorsOf("a/b/c"), ["a", "a/b"]);
  t.deepEqual(ancestorsOf("a"), []);
  t.true(isWithin("a/b", "a"));
  t.false(isWithin("a", "a"));
  t.false(isWithin("ab", "a"));
  t.false(isWithin("a/b", "*"));
  t.is(topLevelOf("a/b/c"), "a");
  t.is(topLevelOf("*"), "*");
});
