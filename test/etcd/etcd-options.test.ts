import test from "ava";
import { keyBetween, KeySpace } from "../../src/etcd/keys.ts";
import { compileEtcdOptions } from "../../src/etcd/options.ts";
import { revision } from "../../src/etcd/transactions.ts";

test("options that cannot be right are refused by name", (t) => {
  const certificate = Buffer.from("pem");
  t.throws(() => compileEtcdOptions({ endpoints: [] }), { message: /at least one/ });
  t.throws(() => compileEtcdOptions({ endpoints: ["127.0.0.1:2379"] }), { message: /"127\.0\.0\.1:2379"/ });
  t.throws(() => compileEtcdOptions({ endpoints: ["http://a:1", "https://b:1"] }), { message: /mixed/ });
  t.throws(() => compileEtcdOptions({ endpoints: ["https://a:1"], tls: { ca: certificate, certificate } }), { message: /go together/ });
  t.throws(() => compileEtcdOptions({ endpoints: ["http://a:1"], copyTimeoutsMs: [] }), { message: /copyTimeoutsMs/ });
  t.throws(() => new KeySpace("no-slash"), { message: /ending in/ });
  t.is(compileEtcdOptions({ endpoints: ["http://a:1"] }).prefix, "mesarch/");
});

test("a range is divided where its ends differ", (t) => {
  const range = { start: Buffer.from("mesarch/t/0"), end: Buffer.from("mesarch/t/@") };
  t.is(keyBetween(range, 1, 2).toString("latin1").slice(0, 11), "mesarch/t/8");
  t.true(Buffer.compare(keyBetween(range, 1, 16), range.start) > 0);
  t.true(Buffer.compare(keyBetween(range, 15, 16), range.end) < 0);
});

test("all rows are all keys but the candidates", (t) => {
  const keys = new KeySpace("p/");
  t.deepEqual(keys.rows.map(({ start, end }) => `${start} ${end}`), ["p/ p/cand/", "p/cand0 p0"]);
  t.is(keys.relative(keys.key("t/1")), "t/1");
});

test("a revision that a number cannot hold is an error", (t) => {
  t.is(revision("9007199254740991"), Number.MAX_SAFE_INTEGER);
  t.throws(() => revision("9007199254740993"), { instanceOf: RangeError });
});
