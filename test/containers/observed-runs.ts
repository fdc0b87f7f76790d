import type { Containers, RunState } from "../../src/ports/containers.ts";

type Told<K extends RunState["kind"]> = RunState & { readonly kind: K };

const DEADLINE_MS = 20_000;

/** Listens to an adapter and lets a test wait for what it tells. */
export class ObservedRuns {
  readonly #told = new Map<string, RunState[]>();
  readonly #waiting = new Set<() => void>();

  constructor(containers: Containers) {
    containers.watch((launchId, state) => {
      this.#told.set(launchId, [...this.told(launchId), state]);
      for (const check of this.#waiting) check();
    });
  }

  /** Everything told about a run, oldest first. */
  told(launchId: string): readonly RunState[] {
    return this.#told.get(launchId) ?? [];
  }

  /** What was told, without the states that may be skipped. */
  kinds(launchId: string): string[] {
    return this.told(launchId).map(({ kind }) => kind).filter((kind) => kind !== "absent" && kind !== "starting");
  }

  /** The first state of this kind that was or will be told. */
  async until<K extends RunState["kind"]>(launchId: string, kind: K, matches: (state: Told<K>) => boolean = () => true): Promise<Told<K>> {
    const { promise, resolve, reject } = Promise.withResolvers<Told<K>>();
    const check = (): void => {
      const state = this.told(launchId).find((told): told is Told<K> => told.kind === kind && matches(told as Told<K>));
      if (state) resolve(state);
    };
    const late = (): void => reject(new Error(`not ${kind} in time, but ${JSON.stringify(this.told(launchId))}`));
    const deadline = setTimeout(late, DEADLINE_MS);
    this.#waiting.add(check);
    check();
    return promise.finally(() => {
      clearTimeout(deadline);
      this.#waiting.delete(check);
    });
  }
}

/** Waits until `condition` holds, looking again and again. For what nobody tells. */
export async function eventually(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
