/** etcd answers late: launches go through, nobody is deposed; beyond half a second the leader is mute, and comes back. */
import test from "ava";
import { epochText } from "../../src/base/epoch.ts";
import { EtcdCluster } from "../../src/dev/etcd-cluster.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { ownCluster } from "./own-cluster.ts";
import { flaws, jobs, services } from "./traffic.ts";

test.serial("3.6 a slow store slows launches down and deposes nobody; a leader without answers for 500 ms is mute until they come", async (t) => {
  const etcd = await EtcdCluster.start({ members: 1 });
  const proxy = await TcpProxy.start(Number(new URL(etcd.endpoints[0]!).port));
  t.teardown(async () => {
    await proxy[Symbol.asyncDispose]();
    await etcd[Symbol.asyncDispose]();
  });
  const cluster = await ownCluster(t, { masters: 2, agents: 1, etcd, masterFlags: [`--etcd-endpoints=http://127.0.0.1:${proxy.port}`] });
  await using scheduler = await cluster.scheduler();
  const kept = await services(cluster, scheduler, 2);
  const epoch = epochText(cluster.operator.leader!.epoch);
  const leader = await cluster.leader();
  const done: string[] = [];

  proxy.delayAnswers(300);
  for (let n = 0; n < 3; n += 1) done.push(...(await jobs(cluster, scheduler, 4)));
  t.deepEqual(await flaws(cluster, scheduler, done), []);

  const since = leader.stderr.items.length;
  proxy.delayAnswers(900);
  const launched = jobs(cluster, scheduler, 4);
  await leader.logged("mute: the registry does not answer", since);
  done.push(...(await launched));
  await leader.logged("the registry answers again", since);
  t.deepEqual(await flaws(cluster, scheduler, done), []);

  proxy.delayAnswers(0);
  done.push(...(await jobs(cluster, scheduler, 4)));
  t.deepEqual(await flaws(cluster, scheduler, done), []);
  for (const id of kept) t.true(cluster.witnesses.runs(id), id);
  t.is(epochText((await cluster.operator.leaderHistory({ limit: 1 }))[0]!.epoch!), epoch, "nobody was deposed");
});
