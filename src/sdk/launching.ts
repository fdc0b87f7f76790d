import type { Call } from "../wire/gen/mesos/v1/scheduler/scheduler.ts";

/** The tasks of launches that have no answer yet: a kill of one of them must not overtake its launch. */
export class LaunchingTasks {
  readonly #counts = new Map<string, number>();

  has(taskId: string): boolean {
    return this.#counts.has(taskId);
  }

  add(taskIds: readonly string[]): void {
    for (const id of taskIds) this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
  }

  remove(taskIds: readonly string[]): void {
    for (const id of taskIds) {
      const others = (this.#counts.get(id) ?? 1) - 1;
      if (others > 0) this.#counts.set(id, others);
      else this.#counts.delete(id);
    }
  }
}

/** Ids of the tasks that a call launches. */
export function launchedBy({ accept }: Pick<Call, "accept">): string[] {
  const infos = (accept?.operations ?? []).flatMap(({ launch, launchGroup }) => [
    ...(launch?.taskInfos ?? []),
    ...(launchGroup?.taskGroup?.tasks ?? []),
  ]);
  return infos.map(({ taskId }) => taskId?.value ?? "");
}
