/** What the command line of real runs refuses before anything is set up. */
import test from "ava";
import { commandOf, parseOrder, type RunOrder } from "../../../chaos/real/orders.ts";

test("what cannot be meant is refused, with what can", (t) => {
  t.throws(() => parseOrder(["--nemesis", "kill-leader,kill-laeder"]), { message: /--nemesis kill-laeder: one of kill-leader, / });
  t.throws(() => parseOrder(["--nemesis", ""]), { message: /--nemesis : one of / });
  t.throws(() => parseOrder(["--time", "1.5"]), { message: /--time 1\.5: a whole number from 1 to / });
  t.throws(() => parseOrder(["--workload", "much"]), { message: /one of mixed, services, churn/ });
  t.throws(() => parseOrder(["check"]), { message: /which history/ });
  t.throws(() => parseOrder(["check", "/nowhere/history.jsonl"]), { message: /check: there is no \/nowhere/ });
  t.throws(() => parseOrder(["run", "headlines"]), { message: /there are: headline, herd, restore/ });
  t.throws(() => parseOrder(["--bogus"]));
});

test("the command that a report tells orders the same again", (t) => {
  for (const args of [["--nemesis", "kill-leader,cut-agent", "--time", "60"], ["run", "headline"], ["run", "herd", "--herd-agents", "7"], ["run", "restore", "--lost", "9"], []]) {
    const order = parseOrder(args) as RunOrder;
    const [, ...again] = commandOf(order).split(" -- ");
    t.deepEqual(parseOrder(again.join(" -- ").split(" ")), order);
  }
});
