/** What answers mean while an earlier copy of the same batch may still land. */
import test from "ava";
import { GRPCResourceExhastedError } from "etcd3";
import { EtcdClient } from "../../src/etcd/client.ts";
import { KeySpace } from "../../src/etcd/keys.ts";
import { compileEtcdOptions } from "../../src/etcd/options.ts";
import { etcdRegistry } from "../../src/etcd/registry.ts";
import type { BatchResult } from "../../src/ports/registry.ts";
import { bytes, never } from "../contracts/store-world.ts";

const FULL = new GRPCResourceExhastedError("8 RESOURCE_EXHAUSTED: etcdserver: mvcc: database space exceeded");
const DROPPED = new Error("14 UNAVAILABLE: the connection was dropped");
const NOT_SENT = new Error("14 UNAVAILABLE: No connection established");

/** What a batch comes to whose copies fail like this, one after the other, and then succeed at revision 7; how many were sent. */
async function commit(...failures: readonly Error[]): Promise<{ result: BatchResult; copies: number }> {
  // Nobody listens there: what matters is answered here.
  const client = new EtcdClient(compileEtcdOptions({ endpoints: ["http://127.0.0.1:1"] }));
  let copies = 0;
  client.endpoint().etcd.kv.txn = () => {
    copies += 1;
    const failure = failures[copies - 1];
    return failure === undefined ? Promise.resolve({ succeeded: true, header: { revision: "7" }, responses: [] } as never) : Promise.reject(failure);
  };
  try {
    const batch = { fence: { candidateKey: "cand/a.1.1", createRevision: 5 }, after: { modRevision: 6 }, head: bytes("head 1"), writes: [] };
    const result = await etcdRegistry(client, new KeySpace("mesarch/")).commit(batch, never());
    return { result, copies };
  } finally {
    client.close();
  }
}

test("3.5 full is an answer when no copy was sent before", async (t) => {
  t.deepEqual(await commit(FULL), { result: { kind: "noSpace" }, copies: 1 });
  t.deepEqual(await commit(NOT_SENT, FULL), { result: { kind: "noSpace" }, copies: 2 });
});

test("3.5 full is no answer while an earlier copy may still land", async (t) => {
  t.deepEqual(await commit(DROPPED, FULL, FULL), { result: { kind: "committed", revision: 7 }, copies: 4 });
});
