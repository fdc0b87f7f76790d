import test from "ava";
import {
  agentId,
  frameworkId,
  idError,
  isLaunchId,
  issuedWithin,
  offerId,
  parseIssuedId,
} from "../../src/model/ids.ts";

const issuer = { epoch: { generation: 0, revision: 42 }, nonce: "7f3a" };

test("ids of a leadership carry its epoch and nonce", (t) => {
  t.is(frameworkId(issuer, 7), "0-42-7f3a-0007");
  t.is(frameworkId(issuer, 12345), "0-42-7f3a-12345");
  t.is(agentId(issuer, 7), "0-42-7f3a-S7");
  t.is(offerId(issuer, 0), "0-42-7f3a-O0");
});

test("they are read back, and nothing else is taken for one", (t) => {
  t.deepEqual(parseIssuedId(frameworkId(issuer, 7)), { ...issuer, kind: "framework", number: 7 });
  t.deepEqual(parseIssuedId(frameworkId(issuer, 12345)), { ...issuer, kind: "framework", number: 12345 });
  t.deepEqual(parseIssuedId(agentId(issuer, 7)), { ...issuer, kind: "agent", number: 7 });
  t.deepEqual(parseIssuedId(offerId(issuer, 0)), { ...issuer, kind: "offer", number: 0 });
  const foreign = [
    "",
    "marathon",
    "20dab6ae-3ae1-4a47-8d1d-a0d5c3c4c2c7-0001",
    "0-42-7f3a-7",
    "0-42-7f3a-00012",
    "00-42-7f3a-0007",
    "0-42-7f3a-X7",
    "0-42-7f3a-S07",
    "0-42--0007",
    "0-9999999999999999-7f3a-0007",
  ];
  for (const id of foreign) t.is(parseIssuedId(id), undefined, id);
});

test("1.4 an id is within memory up to the present epoch, or before the last one its backup knew", (t) => {
  const at = (generation: number, revision: number) => ({ epoch: { generation, revision }, nonce: "x" });
  const [present, before] = [
    { generation: 2, revision: 500 },
    { generation: 1, revision: 90 },
  ];
  t.true(issuedWithin(at(2, 500), present, before));
  t.true(issuedWithin(at(2, 1), present, before));
  t.false(issuedWithin(at(2, 501), present, before));
  t.true(issuedWithin(at(1, 89), present, before));
  t.true(issuedWithin(at(0, 9999), present, before));
  t.false(issuedWithin(at(1, 90), present, before), "perhaps issued after the backup, by the leadership it was taken under");
  t.false(issuedWithin(at(1, 91), present, before), "issued after the backup was taken");
  t.false(issuedWithin(at(3, 1), present, before));
});

test("foreign ids become file names, so their syntax is limited", (t) => {
  for (const id of ["web.1", "a b", "ü", "x".repeat(255), ".hidden", "..."]) t.is(idError(id), undefined, id);
  for (const id of ["", ".", "..", "a/b", "a\\b", "a\nb", "a\x7fb", "x".repeat(256), "ü".repeat(128)]) {
    t.is(typeof idError(id), "string", id);
  }
});

test("a launch id is 32 lower case hex digits", (t) => {
  t.true(isLaunchId("0123456789abcdef0123456789abcdef"));
  for (const text of ["", "0123456789ABCDEF0123456789abcdef", "0123456789abcdef0123456789abcde"]) {
    t.false(isLaunchId(text));
  }
});
