/** What each fault does to the cluster, and how it is undone. A cluster with all faults undone is whole. */
import type { SimCluster } from "./cluster.ts";
import { LEADER, type Fault, type FaultName } from "./plan.ts";
import type { AgentHost } from "./agents.ts";
import type { MasterNode } from "./masters.ts";

/** Who was met, and what undoes it; nothing to meet: undefined. */
interface Struck {
  readonly targets: readonly string[];
  readonly undo: () => void;
}

type Strike = (cluster: SimCluster, fault: Fault) => Struck | undefined;

const nothing = (): void => {};
const WALL_JUMP_MS = 3_600_000;
const SLOW_MS = 150;
/** More than a fold is waited for (2.5). */
const LATE_MS = 700;

export const strikes: { readonly [K in FaultName]: Strike } = {
  killMaster: (cluster, fault) => {
    const master = masterOf(cluster, fault);
    master.kill();
    return { targets: [`master/${master.name}`], undo: () => master.start() };
  },
  killAtCommit: (cluster) => {
    const { leader, server } = cluster;
    if (leader === undefined) return undefined;
    // What was committed then has been said to nobody.
    server.onCommit = () => leader.kill();
    return {
      targets: [`master/${leader.name}`],
      undo: () => {
        server.onCommit = nothing;
        leader.start();
      },
    };
  },
  stopMaster: (cluster, fault) => {
    const master = masterOf(cluster, fault);
    master.stop();
    return { targets: [`master/${master.name}`], undo: () => restartMaster(cluster, master) };
  },
  freezeMaster: (cluster, fault) => {
    const master = masterOf(cluster, fault);
    const { process } = master;
    process?.freeze();
    return { targets: [`master/${master.name}`], undo: () => process?.thaw() };
  },
  killAllMasters: (cluster) => {
    for (const master of cluster.masters) master.kill();
    return { targets: cluster.masters.map(({ name }) => `master/${name}`), undo: () => cluster.masters.forEach((master) => master.start()) };
  },
  loseMasterHost: (cluster, fault) => {
    const master = masterOf(cluster, fault);
    cluster.network.darken(master.name);
    master.kill();
    return {
      targets: [`master/${master.name}`],
      undo: () => {
        cluster.network.light(master.name);
        master.start();
      },
    };
  },
  stepDown: (cluster) => {
    const { leader } = cluster;
    const call = leader?.master?.operators.call({ allowStale: false, call: { $case: "stepDown", value: {} } }, "");
    call?.catch(nothing);
    return leader && { targets: [`master/${leader.name}`], undo: nothing };
  },
  killAgent: (cluster, fault) => {
    const agent = agentOf(cluster, fault);
    agent.kill();
    return { targets: [`agent/${agent.name}`], undo: () => agent.start() };
  },
  killAtJournal: (cluster, fault) => {
    const agent = agentOf(cluster, fault);
    agent.disk.onWritten = () => agent.kill();
    return {
      targets: [`agent/${agent.name}`],
      undo: () => {
        agent.disk.onWritten = nothing;
        agent.start();
      },
    };
  },
  freezeAgent: (cluster, fault) => {
    const agent = agentOf(cluster, fault);
    const { process } = agent;
    process?.freeze();
    return { targets: [`agent/${agent.name}`], undo: () => process?.thaw() };
  },
  powerOffAgent: (cluster, fault) => {
    const agent = agentOf(cluster, fault);
    agent.powerOff();
    return { targets: [`host/${agent.name}`], undo: () => agent.start() };
  },
  loseAgentHost: (cluster, fault) => {
    const agent = agentOf(cluster, fault);
    cluster.network.darken(agent.name);
    agent.powerOff();
    return {
      targets: [`host/${agent.name}`],
      undo: () => {
        cluster.network.light(agent.name);
        agent.start();
      },
    };
  },
  killScheduler: (cluster, fault) => {
    const framework = pick(cluster.frameworks, fault);
    framework.kill();
    return { targets: [`framework/${framework.name}`], undo: () => framework.start() };
  },
  freezeScheduler: (cluster, fault) => {
    const framework = pick(cluster.frameworks, fault);
    const { process } = framework;
    process?.freeze();
    return { targets: [`framework/${framework.name}`], undo: () => process?.thaw() };
  },
  killWatcher: (cluster, fault) => {
    const watcher = pick(cluster.watchers, fault);
    watcher.kill();
    return { targets: [`operator/${watcher.name}`], undo: () => watcher.start() };
  },
  freezeWatcher: (cluster, fault) => {
    const { name, process } = pick(cluster.watchers, fault);
    process?.freeze();
    return { targets: [`operator/${name}`], undo: () => process?.thaw() };
  },
  cutWatcher: (cluster, fault) => {
    const watcher = pick(cluster.watchers, fault);
    return cut(cluster, cluster.masters.flatMap(({ name }) => both(watcher.name, name)));
  },
  cutMasterFromStore: (cluster, fault) => linkMaster(cluster, fault, fault.forMs % 2 === 0 ? "hung" : "cut"),
  deafMaster: (cluster, fault) => linkMaster(cluster, fault, "deaf"),
  storeWithoutQuorum: (cluster, fault) => linkAll(cluster, fault.forMs % 2 === 0 ? "hung" : "cut"),
  storeSlow: (cluster) => {
    const stores = cluster.masters.map(({ store }) => store);
    for (const store of stores) if (store !== undefined) store.slowMs = SLOW_MS;
    return { targets: ["etcd"], undo: () => stores.forEach((store) => store && (store.slowMs = 0)) };
  },
  storeFull: (cluster) => {
    cluster.server.full = true;
    return { targets: ["etcd"], undo: () => (cluster.server.full = false) };
  },
  loseCommitReply: (cluster) => {
    cluster.leader?.store?.loseNextCommitReply();
    return { targets: ["etcd"], undo: nothing };
  },
  holdCommit: (cluster) => {
    const store = cluster.leader?.store;
    store?.holdNextCommit();
    return store && { targets: ["etcd"], undo: () => store.landHeldCommits() };
  },
  revokeLease: (cluster, fault) => {
    const master = masterOf(cluster, fault);
    master.store?.expireLease();
    return { targets: [`master/${master.name}`], undo: nothing };
  },
  compact: (cluster) => {
    cluster.server.compact(cluster.server.revision);
    return { targets: ["etcd"], undo: nothing };
  },
  restartWatches: (cluster) => {
    const stores = cluster.masters.filter((master) => !master.leading).map(({ store }) => store);
    for (const store of stores) if (store !== undefined) store.link = "cut";
    return { targets: ["etcd"], undo: () => stores.forEach((store) => store && (store.link = "up")) };
  },
  lateWatches: (cluster) => {
    const stores = cluster.masters.map(({ store }) => store);
    for (const store of stores) if (store !== undefined) store.watchLagMs = LATE_MS;
    return { targets: ["etcd"], undo: () => stores.forEach((store) => store && (store.watchLagMs = 0)) };
  },
  restoreBackup: (cluster, fault) => {
    const { masters, frameworks, commandLine } = cluster;
    for (const master of masters) master.kill();
    cluster.server.restoreBackup(fault.target);
    return {
      targets: ["etcd", ...masters.map(({ name }) => `master/${name}`)],
      undo: () => {
        for (const master of masters) master.start();
        // Who had been removed may be back in the registry, and finds out.
        for (const framework of frameworks) framework.reopen();
        commandLine.askAgain();
      },
    };
  },
  cutMasterFromPeers: (cluster, fault) => {
    const master = masterOf(cluster, fault);
    return cut(cluster, cluster.masters.filter((other) => other !== master).flatMap(({ name }) => both(master.name, name)));
  },
  cutMasterFromAgents: (cluster, fault) => {
    const master = masterOf(cluster, fault);
    return cut(cluster, cluster.agents.flatMap(({ name }) => both(master.name, name)));
  },
  cutAgentFromLeader: (cluster, fault) => {
    const { leader } = cluster;
    return leader && cut(cluster, both(agentOf(cluster, fault).name, leader.name));
  },
  cutAgentFromAll: (cluster, fault) => cut(cluster, cluster.masters.flatMap(({ name }) => both(agentOf(cluster, fault).name, name))),
  cutOneWay: (cluster, fault) => {
    const others = [...cluster.agents.map(({ name }) => name), ...cluster.frameworks.map(({ name }) => name), ...cluster.masters.map(({ name }) => name)];
    const master = masterOf(cluster, fault);
    const other = others[(fault.at + fault.forMs) % others.length]!;
    return cut(cluster, [fault.forMs % 2 === 0 ? [master.name, other] : [other, master.name]]);
  },
  cutScheduler: (cluster, fault) => {
    const framework = pick(cluster.frameworks, fault);
    return cut(cluster, cluster.masters.flatMap(({ name }) => both(framework.name, name)));
  },
  resetConnections: (cluster, fault) => {
    const master = masterOf(cluster, fault);
    for (const { name } of [...cluster.agents, ...cluster.frameworks, ...cluster.masters]) cluster.network.reset(master.name, name);
    return { targets: [`master/${master.name}`], undo: nothing };
  },
  slowHost: (cluster, fault) => {
    const { name } = masterOf(cluster, fault);
    cluster.network.slow(name, SLOW_MS);
    return { targets: [`master/${name}`], undo: () => cluster.network.slow(name, 0) };
  },
  jumpWallClock: (cluster, fault) => {
    const sign = fault.forMs % 2 === 0 ? 1 : -1;
    const met = [masterOf(cluster, fault), agentOf(cluster, fault)];
    for (const { process } of met) process?.jumpWall(sign * WALL_JUMP_MS);
    return { targets: [`master/${met[0]!.name}`, `agent/${met[1]!.name}`], undo: nothing };
  },
  fullDisk: (cluster, fault) => {
    const { disk, name } = agentOf(cluster, fault);
    disk.full = true;
    return { targets: [`agent/${name}`], undo: () => (disk.full = false) };
  },
  slowDisk: (cluster, fault) => {
    const { disk, name } = agentOf(cluster, fault);
    disk.slowMs = SLOW_MS * 4;
    return { targets: [`agent/${name}`], undo: () => (disk.slowMs = 0) };
  },
};

function masterOf(cluster: SimCluster, fault: Fault): MasterNode {
  const { leader } = cluster;
  return fault.target === LEADER && leader !== undefined ? leader : pick(cluster.masters, fault);
}

function agentOf(cluster: SimCluster, fault: Fault): AgentHost {
  return pick(cluster.agents, fault);
}

function pick<T>(all: readonly T[], { target, at }: Fault): T {
  return all[(target === LEADER ? at : target) % all.length]!;
}

/** A master that is still handing over is started once it has ended. */
function restartMaster(cluster: SimCluster, master: MasterNode): void {
  if (master.process === undefined) return master.start();
  cluster.time.after(200, () => restartMaster(cluster, master));
}

function both(a: string, b: string): (readonly [string, string])[] {
  return a === b ? [] : [[a, b], [b, a]];
}

function cut({ network }: SimCluster, paths: readonly (readonly [string, string])[]): Struck {
  for (const [from, to] of paths) network.cut(from, to);
  return {
    targets: paths.map(([from, to]) => `${from}>${to}`),
    undo: () => {
      for (const [from, to] of paths) network.heal(from, to);
    },
  };
}

function linkMaster(cluster: SimCluster, fault: Fault, link: "hung" | "cut" | "deaf"): Struck {
  const master = masterOf(cluster, fault);
  const { store } = master;
  if (store !== undefined) store.link = link;
  return { targets: [`master/${master.name}`], undo: () => store && (store.link = "up") };
}

function linkAll(cluster: SimCluster, link: "hung" | "cut"): Struck {
  cluster.server.link = link;
  return { targets: ["etcd"], undo: () => (cluster.server.link = "up") };
}
