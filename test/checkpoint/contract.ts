/** What every checkpoint must do; see the port. */
import type { ExecutionContext, TestFn } from "ava";
import type { Checkpoint } from "../../src/ports/checkpoint.ts";
import type { JournalRecord } from "../../src/wire/gen/mesarch/v1/checkpoint.ts";

/** One disk; each test gets its own. */
export interface CheckpointWorld extends AsyncDisposable {
  open(): Promise<Checkpoint>;
  /** Makes the next append reject. */
  failAppend(checkpoint: Checkpoint): Promise<void>;
  /** Makes rewrites reject, or work again. */
  rewritesFail(fail: boolean): Promise<void>;
}

export function record(launchId: string): JournalRecord {
  return { record: { $case: "forgotten", value: { launchId } } };
}

export function launchIds(checkpoint: Checkpoint): string[] {
  return checkpoint.records.map(({ record }) => (record?.$case === "forgotten" ? record.value.launchId : "?"));
}

export function checkpointContract(test: TestFn, name: string, newWorld: () => Promise<CheckpointWorld>): void {
  const scenario = (title: string, run: (t: ExecutionContext, world: CheckpointWorld) => Promise<void>): void =>
    test(`${name}: ${title}`, async (t) => {
      await using world = await newWorld();
      await run(t, world);
    });

  scenario("1.3: a new one is empty, and counts its first start", async (t, world) => {
    await using checkpoint = await world.open();
    t.is(checkpoint.starts, 1);
    t.like(checkpoint.epoch, { generation: 0, revision: 0 });
    t.deepEqual(launchIds(checkpoint), []);
    t.true(checkpoint.wantsRewrite);
    t.false(checkpoint.appendable);
  });

  scenario("8.3: what was appended is read back in order, group by group", async (t, world) => {
    {
      await using checkpoint = await world.open();
      await checkpoint.rewrite([record("a")]);
      t.false(checkpoint.wantsRewrite);
      await checkpoint.append([record("b"), record("c")]);
      await checkpoint.append([record("d")]);
    }
    await using again = await world.open();
    t.deepEqual(launchIds(again), ["a", "b", "c", "d"]);
    t.is(again.starts, 2);
  });

  scenario("a rewrite replaces everything", async (t, world) => {
    {
      await using checkpoint = await world.open();
      await checkpoint.rewrite([record("a")]);
      await checkpoint.append([record("b")]);
      await checkpoint.rewrite([record("c")]);
      await checkpoint.append([record("d")]);
    }
    await using again = await world.open();
    t.deepEqual(launchIds(again), ["c", "d"]);
  });

  scenario("8.1, 1.3: the epoch is kept, also without a journal, and each start counts", async (t, world) => {
    {
      await using checkpoint = await world.open();
      await checkpoint.storeEpoch({ generation: 1, revision: 7 });
      await checkpoint.storeEpoch({ generation: 2, revision: 3 });
    }
    for (const starts of [2, 3]) {
      await using again = await world.open();
      t.like(again.epoch, { generation: 2, revision: 3 });
      t.is(again.starts, starts);
    }
  });

  scenario("nothing is appended to a file of another process", async (t, world) => {
    {
      await using checkpoint = await world.open();
      await checkpoint.rewrite([record("a")]);
    }
    await using again = await world.open();
    await t.throwsAsync(again.append([record("b")]));
    t.true(again.wantsRewrite);
  });

  scenario("8.1: it is opened by one at a time", async (t, world) => {
    {
      await using _checkpoint = await world.open();
      await t.throwsAsync(world.open(), { code: "conflict" });
    }
    await using again = await world.open();
    t.is(again.starts, 2, "who was kept out did not count");
  });

  scenario("8.3: after a failed append only a rewrite helps", async (t, world) => {
    await using checkpoint = await world.open();
    await checkpoint.rewrite([record("a")]);
    await world.failAppend(checkpoint);
    t.false(checkpoint.appendable);
    t.true(checkpoint.wantsRewrite);
    await t.throwsAsync(checkpoint.append([record("x")]));
    await checkpoint.rewrite([record("a"), record("b")]);
    await checkpoint.append([record("c")]);
    t.true(checkpoint.appendable);
  });

  scenario("a failed rewrite leaves the journal as it was, and appendable if it was", async (t, world) => {
    {
      await using checkpoint = await world.open();
      await checkpoint.rewrite([record("a")]);
      await world.rewritesFail(true);
      await t.throwsAsync(checkpoint.rewrite([record("z")]));
      await checkpoint.append([record("b")]);
      await checkpoint.storeEpoch({ generation: 1, revision: 1 });
    }
    await using again = await world.open();
    t.deepEqual(launchIds(again), ["a", "b"]);
    await t.throwsAsync(again.rewrite([record("z")]));
    t.false(again.appendable);
    await world.rewritesFail(false);
    await again.rewrite([record("c")]);
    t.true(again.appendable);
  });
}
