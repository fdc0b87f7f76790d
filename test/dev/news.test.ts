import test from "ava";
import { share } from "../../src/dev/dev-cluster.ts";
import { ClusterNews } from "../../src/dev/news.ts";
import { parseEntries } from "../../src/model/parse-resources.ts";
import { LeaderTracker } from "../../src/sdk/leader.ts";
import { FakeMaster } from "../support/fake-master.ts";

test("a new leader is told with the time since the death of the last one", async (t) => {
  await using old = await FakeMaster.start("m0");
  await using next = await FakeMaster.start("m1");
  old.lead(5);
  using tracker = new LeaderTracker({ masters: [old.address, next.address] });
  const lines: string[] = [];
  const deaths = new Map([["m0", 1_000]]);
  using _news = new ClusterNews({ tracker, deaths, now: () => 1_042, note: (line) => lines.push(line) });
  await tracker.next();
  next.lead(9);
  await tracker.next({ generation: 1, revision: 5 });
  t.deepEqual(lines, ["m0 leads (epoch 1-5)", "m1 leads (epoch 1-9), 42 ms after m0 died"]);
});

test("agents of one machine do not promise the same ports", (t) => {
  const ports = [0, 1, 2].map((index) => /ports:(\[.*\])/.exec(share(index, 3))![1]);
  t.is(new Set(ports).size, 3);
  t.true(parseEntries(share(0, 3)).ok);
});
