import test from "ava";
import { tmpdir } from "node:os";
import { detectResources, offerable } from "../../src/containers/detect-resources.ts";

const GIB = 1024 ** 3;

test("1 GiB of memory and 5 GiB of disk are kept back, or half of a small host", (t) => {
  const large = offerable({ cpus: 8, memoryBytes: 16 * GIB, diskBytes: 100 * GIB });
  t.deepEqual(large, { cpus: 8, mem: 15 * 1024, disk: 95 * 1024, gpus: 0 });
  const small = offerable({ cpus: 1, memoryBytes: 1 * GIB, diskBytes: 8 * GIB });
  t.deepEqual(small, { cpus: 1, mem: 512, disk: 4 * 1024, gpus: 0 });
  const limit = offerable({ cpus: 1, memoryBytes: 2 * GIB, diskBytes: 10 * GIB });
  t.deepEqual(limit, { cpus: 1, mem: 1024, disk: 5 * 1024, gpus: 0 });
});

test("this host has something to offer", async (t) => {
  const { cpus, mem, disk } = await detectResources(tmpdir());
  t.true(cpus >= 1 && mem > 0 && disk > 0);
  await t.throwsAsync(detectResources("/no/such/directory"), { code: "ENOENT" });
});
