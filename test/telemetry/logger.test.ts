import test from "ava";

import { MesarchError } from "../../src/base/errors.ts";
import { createLogger, type LoggerOptions } from "../../src/telemetry/logger.ts";

function capture(options: Partial<LoggerOptions> = {}) {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({
    service: "mesarch-master",
    role: "master",
    name: "m1",
    destination: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    ...options,
  });
  return { log, lines };
}

test("a line names its process, its fields and the moment", (t) => {
  let epoch = "0-1";
  const { log: process, lines } = capture();
  const log = process.child(() => ({ epoch }));
  log.info("agent registered", { agent: "a1" });
  epoch = "0-2";
  log.child({ framework: "f1" }).warn("offer declined");
  t.like(lines[0], {
    level: "info", service: "mesarch-master", role: "master", name: "m1", epoch: "0-1", agent: "a1", msg: "agent registered",
  });
  t.like(lines[1], { level: "warn", epoch: "0-2", framework: "f1", msg: "offer declined" });
  t.false(Number.isNaN(Date.parse(lines[0]!.time as string)));
});

test("a traceparent becomes the ids that backends look for", (t) => {
  const { log, lines } = capture();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  log.info("direct", { traceparent });
  log.child({ traceparent }).info("through a child");
  for (const line of lines) {
    t.like(line, { trace_id: "0af7651916cd43dd8448eb211c80319c", span_id: "b7ad6b7169203331" });
    t.false("traceparent" in line);
  }
});

test("an error is printed with its whole chain; only an unexpected one with its stack", (t) => {
  const { log, lines } = capture();
  const cause = new Error("connect failed");
  log.error("cannot start", { error: new MesarchError("unavailable", "no etcd", { remedy: "start it", cause }) });
  log.error("bug", { error: new TypeError("x is undefined") });
  log.error("thrown text", { error: "text" });
  t.deepEqual(lines[0]!.error, { code: "unavailable", chain: ["no etcd", "connect failed"], remedy: "start it" });
  t.like(lines[1]!.error, { chain: ["x is undefined"] });
  t.regex((lines[1]!.error as { stack: string }).stack, /^TypeError/);
  t.deepEqual(lines[2]!.error, { chain: ["text"] });
});

test("the level changes at run time, for the whole family", (t) => {
  const { log, lines } = capture({ level: "warn" });
  const child = log.child({ part: "x" });
  child.info("no");
  log.level = "debug";
  t.is(child.level, "debug");
  child.debug("yes");
  child.level = "silent";
  log.error("no");
  t.deepEqual(lines.map(({ msg }) => msg), ["yes"]);
});
