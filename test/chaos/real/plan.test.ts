/** Which faults come, and when, is a matter of the seed alone. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { allFaults, obstacle } from "../../../chaos/real/nemesis/catalogue.ts";
import { type Round, rounds } from "../../../chaos/real/nemesis/plan.ts";
import { commandOf, parseOrder, type RunOrder } from "../../../chaos/real/orders.ts";

const kinds = allFaults(8_000);

function first(count: number, seed: number, among = kinds): Round[] {
  return rounds(seed, among).take(count).toArray();
}

function told(all: readonly Round[]): unknown {
  return all.map(({ number, faults, pauseMs }) => ({ number, pauseMs, faults: faults.map(({ kind, afterMs, forMs, chance }) => [kind.name, afterMs, forMs, chance.integer(0, 1_000_000)]) }));
}

test("the same seed plans the same faults, for as long, and draws the same victims", (t) => {
  t.deepEqual(told(first(200, 7)), told(first(200, 7)));
  t.notDeepEqual(told(first(200, 7)), told(first(200, 8)));
});

test("each fault has its turn before any comes again", (t) => {
  const names = first(kinds.length, 3).flatMap(({ faults }) => faults.map(({ kind }) => kind.name));
  t.deepEqual(names.slice(0, kinds.length).toSorted(), kinds.map(({ name }) => name).toSorted());
});

test("what needs the cluster for itself never comes with another, and the rest does at times", (t) => {
  const all = first(500, 5);
  t.true(all.every(({ faults }) => faults.length === 1 || faults.every(({ kind }) => kind.alone !== true)));
  t.true(all.some(({ faults }) => faults.length > 1));
});

test("a fault lasts as long as its kind says", (t) => {
  for (const { faults } of first(500, 11)) {
    for (const { kind, forMs } of faults) t.true(forMs >= Math.floor(kind.lastsMs[0]) && forMs <= Math.ceil(kind.lastsMs[1]), kind.name);
  }
});

test("a fault's victims do not change when other faults are left out", (t) => {
  const strikes = (among: typeof kinds, name: string): unknown[] =>
    first(300, 9, among).flatMap(({ faults }) => faults.filter(({ kind }) => kind.name === name).map(({ forMs, chance }) => [forMs, chance.integer(0, 1_000_000)]));
  const few = kinds.filter(({ name }) => ["kill-agent", "kill-leader"].includes(name));
  const [all, alone] = [strikes(kinds, "kill-agent"), strikes(few, "kill-agent")];
  t.true(all.length > 3);
  t.deepEqual(alone.slice(0, all.length), all);
});

test("names of faults are unique, and what a machine lacks is told", (t) => {
  t.is(new Set(kinds.map(({ name }) => name)).size, kinds.length);
  const cut = kinds.find(({ name }) => name === "cut-leader-from-etcd")!;
  t.is(obstacle(cut, [{ name: "firewall", what: "packet filters", problem: undefined }]), undefined);
  t.is(obstacle(cut, [{ name: "firewall", what: "packet filters", problem: "nft is missing (Debian package nftables)" }]), "packet filters: nft is missing (Debian package nftables)");
});

test("the guide names each fault", (t) => {
  const guide = readFileSync(join(import.meta.dirname, "../../../chaos/README.md"), "utf8");
  t.deepEqual(kinds.filter(({ name }) => !guide.includes(`\`${name}\``)), []);
});

test("a run's command does the same run again", (t) => {
  for (const line of ["--time 20 --nemesis kill-leader,kill-agent --seed 4 --loopback", "run headline --tasks 20 --for 5 --seed 9 --dist", "run herd --herd-agents 50 --herd-frameworks 5 --seed 2", "run restore --lost 5", "--seed 1 --workload churn"]) {
    const order = parseOrder(line.split(" ")) as RunOrder;
    t.deepEqual(parseOrder(commandOf(order).replace("npm run chaos -- ", "").split(" ")), order);
  }
});

test("what cannot be ordered is refused with the reason", (t) => {
  t.throws(() => parseOrder(["--time", "0"]), { message: /--time 0: a whole number from 1/ });
  t.throws(() => parseOrder(["--workload", "some"]), { message: /--workload some: one of mixed, services, churn/ });
  t.throws(() => parseOrder(["run", "everything"]), { message: /no scenario "everything"; there are: headline, herd, restore/ });
  t.throws(() => parseOrder(["check"]), { message: /which history/ });
  t.throws(() => parseOrder(["dance"]), { message: /no command "dance"/ });
});
