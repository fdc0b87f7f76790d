import type { TestFn } from "ava";
import type { Containers, RunSpec } from "../../src/ports/containers.ts";
import { ObservedRuns } from "./observed-runs.ts";

/** A host on which agents come and go while runs stay. Disposal ends all runs. */
export interface ContractHost extends AsyncDisposable {
  /** The adapter of a new agent process. */
  open(): Promise<Containers>;
  /** A new run that goes on until it is killed, or `finish` is called. */
  spec(): RunSpec;
  finish(launchId: string, status: number): Promise<void>;
}

/** What every implementation of `Containers` keeps. */
export function containersContract(test: TestFn, name: string, makeHost: () => Promise<ContractHost>): void {
  test(`${name}: a run starts, ends, and each is told once`, async (t) => {
    await using host = await makeHost();
    await using containers = await host.open();
    const runs = new ObservedRuns(containers);
    const spec = host.spec();
    t.deepEqual(await containers.inspect(spec.launchId), { kind: "absent" });
    t.deepEqual(await containers.list(), []);

    await containers.start(spec);
    t.true((await runs.until(spec.launchId, "running")).monitored);
    t.is((await containers.inspect(spec.launchId)).kind, "running");

    await host.finish(spec.launchId, 3);
    const exited = await runs.until(spec.launchId, "exited");
    t.like(exited, { status: 3, killed: false });
    t.deepEqual(await containers.inspect(spec.launchId), exited);
    t.deepEqual(await containers.list(), [spec.launchId]);
    t.deepEqual(runs.kinds(spec.launchId), ["running", "exited"]);
  });

  test(`${name}: starting again starts nothing`, async (t) => {
    await using host = await makeHost();
    await using containers = await host.open();
    const runs = new ObservedRuns(containers);
    const spec = host.spec();
    await Promise.all([containers.start(spec), containers.start(spec)]);
    const { pid } = await runs.until(spec.launchId, "running");
    await containers.start(spec);
    t.like(await containers.inspect(spec.launchId), { kind: "running", pid });
    await host.finish(spec.launchId, 0);
    await runs.until(spec.launchId, "exited");
    await containers.start(spec);
    t.is((await containers.inspect(spec.launchId)).kind, "exited");
    t.deepEqual(runs.kinds(spec.launchId), ["running", "exited"]);
  });

  test(`${name}: a cancelled run never starts`, async (t) => {
    await using host = await makeHost();
    await using containers = await host.open();
    const runs = new ObservedRuns(containers);
    const spec = host.spec();
    t.true(await containers.cancel(spec.launchId));
    t.true(await containers.cancel(spec.launchId), "cancelling again changes nothing");
    await runs.until(spec.launchId, "cancelled");
    await containers.start(spec);
    t.deepEqual(await containers.inspect(spec.launchId), { kind: "cancelled" });
    t.deepEqual(runs.kinds(spec.launchId), ["cancelled"]);
  });

  test(`${name}: a started run cannot be cancelled`, async (t) => {
    await using host = await makeHost();
    await using containers = await host.open();
    const runs = new ObservedRuns(containers);
    const spec = host.spec();
    await containers.start(spec);
    await runs.until(spec.launchId, "running");
    t.false(await containers.cancel(spec.launchId));
    t.is((await containers.inspect(spec.launchId)).kind, "running");
  });

  test(`${name}: a kill ends a run`, async (t) => {
    await using host = await makeHost();
    await using containers = await host.open();
    const runs = new ObservedRuns(containers);
    const spec = host.spec();
    await containers.start(spec);
    await runs.until(spec.launchId, "running");
    await containers.kill(spec.launchId, 10_000);
    t.like(await runs.until(spec.launchId, "exited"), { status: 143, killed: true });
  });

  test(`${name}: a run killed before it starts never runs`, async (t) => {
    await using host = await makeHost();
    await using containers = await host.open();
    const runs = new ObservedRuns(containers);
    const spec = host.spec();
    await containers.kill(spec.launchId, 10_000);
    await containers.start(spec);
    await runs.until(spec.launchId, "neverRan");
    t.deepEqual(runs.kinds(spec.launchId), ["neverRan"]);
  });

  test(`${name}: killing what has ended changes nothing`, async (t) => {
    await using host = await makeHost();
    await using containers = await host.open();
    const runs = new ObservedRuns(containers);
    const spec = host.spec();
    await containers.start(spec);
    await runs.until(spec.launchId, "running");
    await host.finish(spec.launchId, 0);
    const exited = await runs.until(spec.launchId, "exited");
    await containers.kill(spec.launchId, 0);
    t.deepEqual(await containers.inspect(spec.launchId), exited);
  });

  test(`${name}: a run outlives its agent and is found by the next`, async (t) => {
    await using host = await makeHost();
    const spec = host.spec();
    const first = await host.open();
    const before = new ObservedRuns(first);
    await first.start(spec);
    const { pid } = await before.until(spec.launchId, "running");
    await first[Symbol.asyncDispose]();

    await using second = await host.open();
    const runs = new ObservedRuns(second);
    t.is((await runs.until(spec.launchId, "running")).pid, pid);
    await host.finish(spec.launchId, 7);
    t.is((await runs.until(spec.launchId, "exited")).status, 7);
    t.deepEqual(before.kinds(spec.launchId), ["running"], "a disposed adapter tells nothing");
  });

  test(`${name}: an end without an agent is told to the next`, async (t) => {
    await using host = await makeHost();
    const spec = host.spec();
    const first = await host.open();
    const before = new ObservedRuns(first);
    await first.start(spec);
    await before.until(spec.launchId, "running");
    await first[Symbol.asyncDispose]();
    await host.finish(spec.launchId, 5);

    await using second = await host.open();
    t.is((await new ObservedRuns(second).until(spec.launchId, "exited")).status, 5);
  });

  test(`${name}: a removed run is gone`, async (t) => {
    await using host = await makeHost();
    await using containers = await host.open();
    const runs = new ObservedRuns(containers);
    const spec = host.spec();
    await containers.start(spec);
    await runs.until(spec.launchId, "running");
    await host.finish(spec.launchId, 0);
    await runs.until(spec.launchId, "exited");
    await containers.remove(spec.launchId);
    await containers.remove(spec.launchId);
    t.deepEqual(await containers.list(), []);
    t.deepEqual(await containers.inspect(spec.launchId), { kind: "absent" });
  });
}
