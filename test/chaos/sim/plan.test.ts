/** What is drawn by a seed can be satisfied, and revisions have one scale through restores. */
import test from "ava";
import { isSufficient } from "../../../chaos/sim/broken.ts";
import { orderNames } from "../../../chaos/sim/orders.ts";
import { drawPlan, healAt, type Plan } from "../../../chaos/sim/plan.ts";
import { RevisionScale } from "../../../chaos/sim/revision-scale.ts";

const plans = Array.from({ length: 500 }, (_, seed) => drawPlan(seed));

test("what is left whole can do all that is wanted, in every plan", (t) => {
  t.deepEqual(plans.filter((plan) => !isSufficient(plan)).map(({ seed }) => seed), []);
});

test("restores and cores that have to do alone are drawn in a share of the seeds, together too", (t) => {
  const isRestored = ({ faults }: Plan): boolean => faults.some(({ name }) => name === "restoreBackup");
  const share = (of: (plan: Plan) => boolean): number => plans.filter(of).length / plans.length;
  t.true(share(isRestored) > 0.1);
  t.true(share(({ broken }) => broken !== undefined) > 0.15);
  t.true(share((plan) => isRestored(plan) && plan.broken !== undefined) > 0);
});

test("orders of every kind are drawn in a share of the seeds, and for what stays broken after all else is healed", (t) => {
  for (const kind of orderNames) t.true(plans.filter(({ orders }) => orders.some(({ name }) => name === kind)).length > plans.length / 20, kind);
  t.true(plans.some((plan) => plan.orders.some(({ at }) => at > healAt(plan))));
});

test("a plan made smaller may not be sufficient any more, and that is seen", (t) => {
  const plan = plans.find(({ broken, masters }) => broken !== undefined && broken.masters.length > 0 && masters > 1)!;
  t.false(isSufficient({ ...plan, masters: plan.broken!.masters.length }));
  t.false(isSufficient({ ...plan, agents: plan.broken!.agents.length }));
});

test("13.2: what a store says after a restore stands above all that it said before", (t) => {
  const scale = new RevisionScale();
  t.is(scale.of(80, "1-5"), 80);
  scale.setBack(100, 60);
  scale.begins(1_700);
  t.true(scale.of(60) > 100);
  t.is(scale.of(61), scale.of(60) + 1);
  t.is(scale.of(61, "1700-61"), scale.of(61));
  t.is(scale.of(80, "1-5"), 80, "said late by a leader of before");
  scale.setBack(70, 60);
  t.true(scale.of(60) > scale.of(70, "1700-61"));
  t.is(scale.of(0), 0);
});
