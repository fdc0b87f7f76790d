/** SDK sessions with scripted masters, and what those masters say. */
import { connectScheduler, type SchedulerEvent, type SchedulerOptions, type SchedulerSession } from "../../src/sdk/index.ts";
import { Event_Type } from "../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import type { FakeCall, FakeMaster } from "./fake-master.ts";

export const isKind = (kind: string) => (call: FakeCall) => call.kind === kind;

export async function connect(masters: FakeMaster[], options: Partial<SchedulerOptions> = {}): Promise<SchedulerSession> {
  return connectScheduler({ masters: masters.map((m) => m.address), framework: { name: "test" }, ...options });
}

/** The next event of this type; others are skipped. */
export async function nextEvent<K extends SchedulerEvent["type"]>(
  session: SchedulerSession,
  type: K,
): Promise<Extract<SchedulerEvent, { type: K }>> {
  for await (const event of session.events) if (event.type === type) return event as Extract<SchedulerEvent, { type: K }>;
  throw new Error(`the events ended before ${type}`);
}

export const offer = (id: string, agent = "a1") => ({
  id: { value: id },
  agentId: { value: agent },
  frameworkId: { value: "f" },
  hostname: "h",
  resources: [],
});

export const offers = (...ids: string[]) => ({ type: Event_Type.OFFERS, offers: { offers: ids.map((id) => offer(id)) } });

/** With an empty uuid: told by the master, nothing to acknowledge. */
export const update = (task: string, state: number, uuid = "0123456789abcdef") => ({
  type: Event_Type.UPDATE,
  update: { status: { taskId: { value: task }, agentId: { value: "a1" }, state, uuid: Buffer.from(uuid) } as never },
});
