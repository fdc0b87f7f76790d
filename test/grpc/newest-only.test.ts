import { EventEmitter } from "node:events";
import test from "ava";
import { newestOnly } from "../../src/grpc/newest-only.ts";

/** Takes `room` values before it asks to wait. */
class Stream extends EventEmitter {
  readonly written: number[] = [];
  room = 0;

  write(value: number): boolean {
    this.written.push(value);
    this.room -= 1;
    return this.room > 0;
  }
}

test("13.4 of what a peer does not read only the newest waits", (t) => {
  const stream = new Stream();
  stream.room = 2;
  const send = newestOnly<number>(stream);
  for (let value = 1; value <= 100; value += 1) send(value);
  t.deepEqual(stream.written, [1, 2]);
  stream.room = 1;
  stream.emit("drain");
  t.deepEqual(stream.written, [1, 2, 100]);
  send(101);
  stream.room = 5;
  stream.emit("drain");
  send(102);
  stream.emit("drain");
  t.deepEqual(stream.written, [1, 2, 100, 101, 102]);
});
