import test from "ava";
import fc from "fast-check";

import { Fifo } from "../../src/async/fifo.ts";
import { ManualClock } from "../../src/async/manual-clock.ts";
import { Mailbox } from "../../src/async/mailbox.ts";
import { Outbox } from "../../src/async/outbox.ts";

/** Runs what was put off to the end of the turn, by hand. */
class Turn {
  #callbacks: (() => void)[] = [];
  readonly schedule = (callback: () => void): void => void this.#callbacks.push(callback);
  get pending(): number {
    return this.#callbacks.length;
  }
  end(): void {
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) callback();
  }
}

test("a fifo behaves like an array", (t) => {
  const operation = fc.oneof(
    fc.record({ kind: fc.constant("push" as const), item: fc.integer() }),
    fc.record({ kind: fc.constant("take" as const), max: fc.nat(5) }),
    fc.record({ kind: fc.constant("shift" as const) }),
    fc.record({ kind: fc.constant("unshift" as const), item: fc.integer() }),
    fc.record({ kind: fc.constant("clear" as const) }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      for (const op of operations) {
        switch (op.kind) {
          case "push": fifo.push(op.item); model.push(op.item); break;
          case "unshift": fifo.unshift(op.item); model.unshift(op.item); break;
          case "take": t.deepEqual(fifo.take(op.max), model.splice(0, op.max)); break;
          case "shift": t.is(fifo.shift(), model.shift()); break;
          case "clear": fifo.clear(); model.length = 0; break;
        }
        t.is(fifo.length, model.length);
        t.is(fifo.peek(), model[0]);
      }
    }),
  );
});

test("a mailbox refuses beyond its capacity, except answers", (t) => {
  const mailbox = new Mailbox<number>({ capacity: 2 });
  t.deepEqual([mailbox.push(1), mailbox.push(2), mailbox.push(3)], [true, true, false]);
  t.true(mailbox.deliver(4));
  t.is(mailbox.size, 3);
  t.deepEqual(mailbox.take(2), [1, 2]);
  t.true(mailbox.push(5));
  t.deepEqual(mailbox.take(), [4, 5]);
  t.deepEqual(mailbox.take(), []);
});

test("the consumer wakes once per turn, with all that arrived in it", async (t) => {
  const turn = new Turn();
  const mailbox = new Mailbox<number>({ capacity: 10, schedule: turn.schedule });
  const ready = mailbox.ready();
  t.is(turn.pending, 0);
  mailbox.push(1);
  mailbox.push(2);
  t.is(turn.pending, 1);
  mailbox.push(3);
  turn.end();
  t.true(await ready);
  t.deepEqual(mailbox.take(), [1, 2, 3]);
});

test("a consumer with a backlog still waits for the end of the turn", async (t) => {
  const turn = new Turn();
  const mailbox = new Mailbox<number>({ capacity: 10, schedule: turn.schedule });
  mailbox.push(1);
  let woken = false;
  const ready = mailbox.ready().then((more) => (woken = more));
  await Promise.resolve();
  t.false(woken);
  turn.end();
  t.true(await ready);
});

test("what was taken before the wake does not wake", async (t) => {
  const turn = new Turn();
  const mailbox = new Mailbox<number>({ capacity: 10, schedule: turn.schedule });
  const ready = mailbox.ready();
  mailbox.push(1);
  mailbox.take();
  turn.end();
  t.throws(() => mailbox.ready(), { message: "a mailbox has one consumer" });
  mailbox.push(2);
  turn.end();
  t.true(await ready);
});

test("a closed mailbox is emptied, then ends its consumer", async (t) => {
  const mailbox = new Mailbox<number>({ capacity: 10 });
  mailbox.push(1);
  mailbox.close();
  t.false(mailbox.push(2));
  t.false(mailbox.deliver(2));
  t.true(await mailbox.ready());
  t.deepEqual(mailbox.take(), [1]);
  t.false(await mailbox.ready());
});

class Sink {
  readonly batches: string[][] = [];
  accept = true;
  drained: () => void = () => {};
  onWrite: () => void = () => {};
  write(batch: string[]): boolean {
    this.batches.push(batch);
    this.onWrite();
    return this.accept;
  }
  onDrain(callback: () => void): void {
    this.drained = callback;
  }
}

function outboxOver(sink: Sink, bounds: { maxBytes?: number; hardMaxBytes?: number; maxBatchItems?: number; maxBatchBytes?: number } = {}) {
  const turn = new Turn();
  const clock = new ManualClock();
  const slow: number[] = [];
  const outbox = new Outbox<string>({
    sink,
    sizeOf: (item) => item.length,
    onSlowPeer: (bytes) => slow.push(bytes),
    schedule: turn.schedule,
    patienceMs: 10,
    clock,
    ...bounds,
  });
  return { outbox, turn, slow, clock };
}

test("what is put back is the next to be taken, also from a full mailbox", async (t) => {
  const turn = new Turn();
  const mailbox = new Mailbox<string>({ capacity: 2, schedule: turn.schedule });
  mailbox.push("a");
  mailbox.push("b");
  t.deepEqual(mailbox.take(1), ["a"]);
  mailbox.push("c");
  mailbox.putBack("rest of a");
  t.deepEqual(mailbox.take(), ["rest of a", "b", "c"]);
  const ready = mailbox.ready();
  mailbox.putBack("rest of c");
  turn.end();
  t.true(await ready, "it wakes the consumer");
  mailbox.close();
  mailbox.putBack("more");
  t.deepEqual(mailbox.take(), ["rest of c"]);
});

test("an outbox sends what one turn brought as one batch", (t) => {
  const sink = new Sink();
  const { outbox, turn } = outboxOver(sink);
  outbox.push("a");
  outbox.push("b");
  t.deepEqual(sink.batches, []);
  t.is(outbox.bytes, 2);
  turn.end();
  t.deepEqual(sink.batches, [["a", "b"]]);
  t.is(outbox.bytes, 0);
  outbox.push("c");
  turn.end();
  t.deepEqual(sink.batches.at(-1), ["c"]);
});

test("batches are bounded in items and bytes; a large item goes alone", (t) => {
  const sink = new Sink();
  const { outbox, turn } = outboxOver(sink, { maxBatchItems: 2, maxBatchBytes: 4 });
  for (const item of ["a", "b", "c", "large item", "d", "eeee"]) outbox.push(item);
  turn.end();
  t.deepEqual(sink.batches, [["a", "b"], ["c"], ["large item"], ["d"], ["eeee"]]);
});

test("a peer that is not reading is waited for, up to the bound", (t) => {
  const sink = new Sink();
  const { outbox, turn, slow } = outboxOver(sink, { maxBytes: 4 });
  sink.accept = false;
  outbox.push("a");
  turn.end();
  outbox.push("b");
  outbox.push("c");
  turn.end();
  t.deepEqual(sink.batches, [["a"]]);
  sink.accept = true;
  sink.drained();
  t.deepEqual(sink.batches, [["a"], ["b", "c"]]);
  t.deepEqual(slow, []);
});

test("13.4 a burst above the bound is no slow peer; one that takes nothing of it for long is", (t) => {
  const sink = new Sink();
  const { outbox, turn, slow, clock } = outboxOver(sink, { maxBytes: 2, maxBatchItems: 1 });
  sink.accept = false;
  for (const item of ["a", "b", "c", "d", "e"]) outbox.push(item);
  turn.end();
  for (let taken = 1; taken <= 3; taken += 1) {
    t.is(sink.batches.length, taken);
    clock.advance(9);
    sink.drained();
  }
  clock.advance(100);
  t.deepEqual(slow, [], "what waits is within the bound again");
  for (const item of ["f", "g", "h"]) outbox.push(item);
  clock.advance(9);
  t.deepEqual(slow, []);
  clock.advance(1);
  t.deepEqual(slow, [4]);
  t.true(outbox.closed);
});

test("an outbox calls back once when nothing waits and the peer takes more", (t) => {
  const sink = new Sink();
  const { outbox, turn } = outboxOver(sink, { maxBatchItems: 2 });
  let idle = 0;
  const wait = (): void => outbox.whenIdle(() => (idle += 1));
  for (const item of ["1", "2", "3"]) outbox.push(item);
  wait();
  t.is(idle, 0);
  turn.end();
  t.deepEqual(sink.batches, [["1", "2"], ["3"]]);
  t.is(idle, 1);
  turn.end();
  t.is(idle, 1);
  sink.accept = false;
  outbox.push("4");
  turn.end();
  wait();
  turn.end();
  t.is(idle, 1, "the peer is not ready for more");
  sink.accept = true;
  sink.drained();
  turn.end();
  t.is(idle, 2);
  wait();
  outbox.close();
  turn.end();
  t.is(idle, 2);
});

test("a slow peer is closed once, with nothing left waiting", (t) => {
  const sink = new Sink();
  const { outbox, turn, slow } = outboxOver(sink, { hardMaxBytes: 4 });
  t.true(outbox.push("abc"));
  t.false(outbox.push("de"));
  t.false(outbox.push("f"));
  turn.end();
  sink.drained();
  t.deepEqual(slow, [3]);
  t.deepEqual(sink.batches, []);
  t.true(outbox.closed);
  t.is(outbox.bytes, 0);
});

test("a sink may push, drain or close from within a write", (t) => {
  const sink = new Sink();
  const { outbox, turn } = outboxOver(sink, { maxBatchItems: 1 });
  sink.onWrite = () => {
    if (sink.batches.length === 1) outbox.push("c");
    sink.drained();
    if (sink.batches.length === 3) outbox.close();
  };
  outbox.push("a");
  outbox.push("b");
  turn.end();
  t.deepEqual(sink.batches, [["a"], ["b"], ["c"]]);
  turn.end();
  t.is(outbox.size, 0);
});
