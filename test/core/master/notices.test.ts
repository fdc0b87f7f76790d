import test from "ava";
import { seededRandom } from "../../../src/base/random.ts";
import { MasterMachine } from "../../../src/core/master/machine.ts";
import { defaultMasterSettings } from "../../../src/core/master/settings.ts";
import { Tables } from "../../../src/core/registry/tables.ts";
import { Call, Call_Type } from "../../../src/wire/gen/mesos/v1/scheduler/scheduler.ts";
import { sizeOfChange } from "../../../src/wire/registry-codec.ts";

test("5.1 while no operator listens no views are made; once one does, they are", (t) => {
  let listening = false;
  const tables = new Tables();
  tables.apply({ kind: "meta", id: "", record: { clusterId: "c1", generation: 1, format: 1 } });
  const leadership = { generation: 1, revision: 9, clusterId: "c1", master: "m1", address: "a:1", since: 9, electedAtMs: 0 };
  const random = seededRandom(1);
  const machine = new MasterMachine(
    { leadership, settings: defaultMasterSettings, tables, random, sizeOf: sizeOfChange, watched: () => listening },
    0,
  );
  const notices = (session: number) => {
    const call = Call.fromPartial({ type: Call_Type.SUBSCRIBE, subscribe: { frameworkInfo: { user: "u", name: "n" } } });
    return machine.step({ kind: "subscribe", session, principal: "", call }, 0).words.filter(({ kind }) => kind === "notice").length;
  };
  t.is(notices(1), 0);
  listening = true;
  t.is(notices(2), 1);
});
