/** Masters that must not start, and say why. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import test from "ava";
import { freePorts } from "../../src/dev/free-ports.ts";
import { sharedCluster } from "./shared-cluster.ts";
import { flaws, jobs } from "./traffic.ts";

const shared = sharedCluster({ masters: 2, agents: 1, etcd: { members: 1 } });

test.serial("a master with another's name goes, and disturbs nobody (2.14)", async (t) => {
  const cluster = shared();
  const [port] = await freePorts(1);
  for (const { name } of cluster.masters) {
    const twin = cluster.member(name, port!).start();
    t.is((await twin.exited).code, 4);
    t.regex(twin.stderr.items.join("\n"), new RegExp(`another master named ${name} runs at 127[^]*a name of its own`));
  }
  await cluster.whole();
  await using scheduler = await cluster.scheduler();
  t.deepEqual(await flaws(cluster, scheduler, await jobs(cluster, scheduler, 2)), []);
  await scheduler.session.teardown();
});

test.serial("a master whose port is taken says which, and ends (2.14)", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const master = shared().member("m9", port).start();
  t.not((await master.exited).code, 0);
  t.regex(master.stderr.items.join("\n"), new RegExp(`${port}`));
  taken.close();
});

test.serial("an agent whose port is taken says which, and ends", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const agent = shared().agent("agent-9", port).start();
  t.not((await agent.exited).code, 0);
  t.regex(agent.stderr.items.join("\n"), new RegExp(`${port}`));
  taken.close();
});
