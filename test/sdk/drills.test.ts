import { status } from "@grpc/grpc-js";
import test from "ava";
import { OperatorClient } from "../../src/sdk/index.ts";
import { FakeMaster } from "../support/fake-master.ts";

test("a crash is ordered once, and done when the next leader speaks, though nobody answers", async (t) => {
  await using old = await FakeMaster.start("m1");
  await using next = await FakeMaster.start("m2");
  old.lead(5);
  next.follow(old);
  old.onOperator = () => {
    old.kill();
    next.lead(9);
    return undefined;
  };
  using operator = new OperatorClient({ masters: [old.address, next.address] });
  const { from, to } = await operator.crashLeader();
  t.deepEqual([from.name, to.name], ["m1", "m2"]);
  t.deepEqual(old.operatorRequests.map(({ call }) => call?.$case), ["crashLeader"]);
});

test("a master that does not allow it refuses at once, and nobody waits for a successor", async (t) => {
  await using master = await FakeMaster.start("m1");
  master.lead(5);
  master.onOperator = () => ({ refuse: status.PERMISSION_DENIED, details: "it was started without --allow-drills" });
  using operator = new OperatorClient({ masters: master.address });
  for (const order of ["crashLeader", "hangLeader"] as const) {
    await t.throwsAsync(operator[order](), { code: "refused", message: /--allow-drills/ });
  }
});

test("an agent that cannot be reached has not been ended", async (t) => {
  await using nobody = await FakeMaster.start("m1");
  const { address } = nobody;
  nobody.kill();
  using operator = new OperatorClient({ masters: address });
  await t.throwsAsync(operator.crashAgent(address), { code: "unavailable" });
  await t.throwsAsync(operator.crashAgent("host.invalid:6051"), { code: "unavailable" });
});
