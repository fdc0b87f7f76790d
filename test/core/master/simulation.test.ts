import test from "ava";
import { stateText } from "./cluster-framework.ts";
import { World } from "./world.ts";

const SEEDS = 25;
const EVENTS = 2_500;

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`I1-I8 nothing is lost, repeated or taken back through failovers, crashes and cut links (seed ${seed})`, (t) => {
    const world = new World(seed, 3, 2);
    for (let i = 0; i < EVENTS; i++) happen(world);
    heal(world);

    for (const host of world.hosts) {
      for (const [launchId, count] of host.started) t.is(count, 1, `launch ${launchId} was started ${count} times`);
      t.is(host.machine!.state.tasks.size, 0, `${host.name} still holds tasks`);
    }
    t.deepEqual([...world.machine.state.tables.tasks.keys()], []);
    for (const scheduler of world.schedulers) {
      for (const taskId of scheduler.open) {
        // Never committed, so it never was: asking would tell so (10.4).
        const ran = world.hosts.some(({ tasks }) => tasks.has(taskId));
        t.false(ran, `${taskId} ran, and its end was never told: ${scheduler.heard.get(taskId)!.map(stateText).join(", ")}`);
      }
    }
  });
}

/** One thing happens, somewhere. */
function happen(world: World): void {
  const host = world.pick(world.hosts)!;
  const scheduler = world.pick(world.schedulers)!;
  const dice = world.random.uniform();
  if (dice < 0.4) host.deliver() || host.connect();
  else if (dice < 0.6) world.commit();
  else if (dice < 0.68) scheduler.deliver() || scheduler.subscribe();
  else if (dice < 0.74) scheduler.launch();
  else if (dice < 0.84) host.stir();
  else if (dice < 0.95) world.pass(world.random.uniform() * 400);
  else if (dice < 0.96) scheduler.kill();
  else if (dice < 0.97) host.disconnect(world.chance(0.3) ? 40_000 : 0);
  else if (dice < 0.975) host.crash();
  else if (dice < 0.98 || host.machine === undefined) host.machine ?? host.boot();
  else if (dice < 0.985) scheduler.disconnect();
  else if (dice < 0.99) world.failover();
  else if (dice < 0.992) world.setFull(!world.full);
  else world.pass(world.chance(0.3) ? 10_000 : 2_000);
}

/** Everything works again, and schedulers end what they have. */
function heal(world: World): void {
  world.setFull(false);
  for (const host of world.hosts) {
    host.isolatedUntil = 0;
    if (host.machine === undefined) host.boot();
  }
  for (let round = 0; round < 400; round++) {
    for (const host of world.hosts) {
      host.connect();
      while (host.deliver());
      host.stir();
    }
    for (const scheduler of world.schedulers) {
      scheduler.subscribe();
      world.commitAll();
      if (round % 40 === 10) scheduler.killAll();
      while (scheduler.deliver());
    }
    world.commitAll();
    world.pass(1_000);
  }
}
