import test from "ava";
import { MemoryDisk } from "../support/memory-checkpoint.ts";
import { checkpointContract, launchIds, record } from "./contract.ts";

checkpointContract(test, "in memory", async () => {
  const disk = new MemoryDisk();
  return {
    open: () => disk.open(),
    failAppend: async (checkpoint) => {
      disk.appendsFail = true;
      await checkpoint.append([record("x")]).catch(() => {});
      disk.appendsFail = false;
    },
    rewritesFail: async (fail) => void (disk.rewritesFail = fail),
    [Symbol.asyncDispose]: async () => {},
  };
});

test("in memory: what was not yet durable is lost in a crash", async (t) => {
  const disk = new MemoryDisk();
  const checkpoint = await disk.open();
  await checkpoint.rewrite([record("a")]);
  disk.frozen = true;
  void checkpoint.append([record("b")]);
  disk.crash();
  t.deepEqual(launchIds(await disk.open()), ["a"]);
});
