import test from "ava";
import { NO_EPOCH, compareEpochs, epochText } from "../../src/base/epoch.ts";

test("1.1 epochs are compared as numbers, generation first", (t) => {
  const ascending = [
    NO_EPOCH,
    { generation: 1, revision: 9 },
    { generation: 1, revision: 10 },
    { generation: 1, revision: 1_000 },
    { generation: 2, revision: 3 },
    { generation: 10, revision: 1 },
  ];
  ascending.forEach((a, i) => ascending.forEach((b, j) => t.is(Math.sign(compareEpochs(a, b)), Math.sign(i - j), `${epochText(a)} and ${epochText(b)}`)));
});
