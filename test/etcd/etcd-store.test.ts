import test from "ava";
import { EtcdCluster } from "../../src/dev/etcd-cluster.ts";
import { storeContract } from "../contracts/store-contract.ts";
import { EtcdWorld } from "./etcd-world.ts";

let cluster: EtcdCluster;

test.before(async (t) => {
  cluster = await EtcdCluster.start({ quotaBackendBytes: 48 * 1024 * 1024 });
  t.log(`etcd ${cluster.version}`);
});
test.after.always(() => cluster?.[Symbol.asyncDispose]());

storeContract(test, () => EtcdWorld.open(cluster));
