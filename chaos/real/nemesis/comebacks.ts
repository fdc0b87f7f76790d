/** Waits until those that were struck play their part again. */
import { setTimeout as delay } from "node:timers/promises";
import type { AgentHost } from "../cluster/agent-host.ts";
import type { FrameworkNode, MasterNode } from "../cluster/cluster.ts";
import type { EtcdMember } from "../cluster/etcd.ts";
import type { World } from "./fault.ts";

const LOOK_MS = 50;
/** One that is not back by then will not be waited for: what that means is for the checkers to say. */
const PATIENCE_MS = 30_000;

export async function until(ask: () => boolean | Promise<boolean>, timeoutMs = PATIENCE_MS): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!(await ask())) {
    if (performance.now() > deadline) return false;
    await delay(LOOK_MS);
  }
  return true;
}

/** It stands for election. */
export async function startMaster({ watcher }: World, { node, daemon }: MasterNode): Promise<void> {
  daemon.start();
  await until(() => watcher.candidates.includes(node));
}

export async function startAgent(world: World, { daemon }: AgentHost): Promise<void> {
  const back = world.logged(daemon.name, /^agent started/, PATIENCE_MS);
  daemon.start();
  await back;
}

export async function startEtcd(member: EtcdMember): Promise<void> {
  member.daemon.start();
  await until(async () => (await member.status())?.hasLeader === true);
}

export async function startFramework(framework: FrameworkNode): Promise<void> {
  framework.state = undefined;
  framework.daemon.start();
  await until(() => framework.state !== undefined);
}
