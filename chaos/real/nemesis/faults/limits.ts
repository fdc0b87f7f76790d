/** Clocks that are set, and processes without memory or descriptors. */
import { writeFileSync } from "node:fs";
import type { Chance } from "../../../sim/chance.ts";
import type { Daemon } from "../../cluster/daemon.ts";
import { makeMemoryGroup } from "../../host/control-group.ts";
import { consumption } from "../../host/processes.ts";
import { run } from "../../host/tools.ts";
import { startAgent, startMaster } from "../comebacks.ts";
import { type FaultKind, leader, NobodyToStrike, someAgent, standby, type Struck, type World } from "../fault.ts";

const WHILE = [4_000, 10_000] as const;
/** By how many seconds: a minute, an hour, a year, back and forth. */
const JUMPS = [-31_536_000, -3_600, -60, 60, 3_600, 31_536_000];
/** Descriptors beyond those in use. */
const SPARE_DESCRIPTORS = 3;
/** Below what node needs to start. */
const MEMORY_MIB = 24;

async function jump(world: World, those: readonly { readonly node: string; readonly daemon: Daemon }[], chance: Chance): Promise<Struck> {
  const seconds = chance.pick(JUMPS);
  for (const { node } of those) writeFileSync(world.cluster.clockFile(node), `${seconds < 0 ? "" : "+"}${seconds}\n`);
  return {
    targets: those.map(({ daemon }) => daemon.name),
    undo: async () => {
      for (const { node } of those) writeFileSync(world.cluster.clockFile(node), "+0\n");
    },
  };
}

async function starveOfDescriptors(daemon: Daemon): Promise<Struck> {
  const { pid } = daemon;
  const used = pid === undefined ? undefined : consumption(pid)?.descriptors;
  if (pid === undefined || used === undefined) throw new NobodyToStrike(daemon.name);
  const before = (await run("prlimit", [`--pid=${pid}`, "--nofile", "--output=SOFT", "--noheadings", "--raw"])).trim();
  await run("prlimit", [`--pid=${pid}`, `--nofile=${used + SPARE_DESCRIPTORS}:`]);
  return {
    targets: [daemon.name],
    undo: async () => {
      if (daemon.pid === pid) await run("prlimit", [`--pid=${pid}`, `--nofile=${before}:`]);
    },
  };
}

/** It is started with less memory than it needs, dies of it, and is started again. */
async function starveOfMemory({ cluster }: World, daemon: Daemon, comeBack: () => Promise<void>): Promise<Struck> {
  const group = await makeMemoryGroup(`mesarch-chaos-${process.pid}-${daemon.name.replace("/", "-")}`, MEMORY_MIB, cluster.belongings);
  await daemon.end("SIGKILL");
  daemon.prefix = group.enter;
  daemon.start();
  return {
    targets: [daemon.name],
    mayFail: [daemon.name],
    undo: async () => {
      await daemon.end("SIGKILL");
      daemon.prefix = [];
      await comeBack();
    },
  };
}

export const limitFaults: readonly FaultKind[] = [
  { name: "jump-leader-clock", about: "the leader's wall clock is set", needs: ["fakeTime"], lastsMs: WHILE, answersAfter: "strike", strike: (world, chance) => jump(world, [leader(world)], chance) },
  { name: "jump-agent-clock", about: "an agent's wall clock is set", needs: ["fakeTime"], lastsMs: WHILE, answersAfter: "strike", strike: (world, chance) => jump(world, [someAgent(world, chance)], chance) },
  { name: "jump-all-clocks", about: "the wall clocks of all masters and agents are set", needs: ["fakeTime"], lastsMs: WHILE, answersAfter: "strike", strike: (world, chance) => jump(world, [...world.cluster.masters, ...world.cluster.agents], chance) },
  { name: "few-descriptors-agent", about: "an agent may open no more files", needs: ["descriptors"], lastsMs: WHILE, answersAfter: "strike", strike: (world, chance) => starveOfDescriptors(someAgent(world, chance).daemon) },
  { name: "few-descriptors-leader", about: "the leader may open no more files", needs: ["descriptors"], lastsMs: WHILE, answersAfter: "strike", strike: (world) => starveOfDescriptors(leader(world).daemon) },
  { name: "few-descriptors-standby", about: "a standby may open no more files", needs: ["descriptors"], lastsMs: WHILE, answersAfter: "strike", strike: (world, chance) => starveOfDescriptors(standby(world, chance).daemon) },
  {
    name: "little-memory-agent",
    about: "an agent is started with too little memory, over and over",
    needs: ["memory"],
    lastsMs: WHILE,
    answersAfter: "strike",
    strike: (world, chance) => {
      const host = someAgent(world, chance);
      return starveOfMemory(world, host.daemon, () => startAgent(world, host));
    },
  },
  {
    name: "little-memory-standby",
    about: "a standby is started with too little memory, over and over",
    needs: ["memory"],
    lastsMs: WHILE,
    answersAfter: "strike",
    strike: (world, chance) => {
      const master = standby(world, chance);
      return starveOfMemory(world, master.daemon, () => startMaster(world, master));
    },
  },
];
