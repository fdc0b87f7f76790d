import { execFile } from "node:child_process";
import { promisify } from "node:util";

import test from "ava";

import { LogRecorder } from "../../src/telemetry/recorder.ts";
import { telemetryOff } from "../../src/telemetry/off.ts";

const foreign = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Starts telemetry in a fresh process and returns the packages under @opentelemetry that it loaded. */
async function packagesLoaded(variables: Record<string, string>): Promise<string[]> {
  const program = `
    import { registerHooks } from "node:module";
    const loaded = new Set();
    registerHooks({ resolve(specifier, context, next) {
      const result = next(specifier, context);
      const name = /@opentelemetry[/]([^/]+)/.exec(result.url)?.[1];
      if (name) loaded.add(name);
      return result;
    } });
    const { startTelemetry } = await import(${JSON.stringify(new URL("../../src/telemetry/start.ts", import.meta.url))});
    const { createLogger } = await import(${JSON.stringify(new URL("../../src/telemetry/logger.ts", import.meta.url))});
    const log = createLogger({ service: "s", role: "r", name: "n" });
    const telemetry = await startTelemetry({ service: "s", version: "1", name: "n", log });
    await telemetry.span("mesarch.accept", {}, async () => telemetry.instruments.launches.add(1));
    await telemetry[Symbol.asyncDispose]();
    process.stdout.write(JSON.stringify([...loaded].sort()), () => process.exit(0));
  `;
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("OTEL_"));
  const env = { ...Object.fromEntries(inherited), ...variables };
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { env });
  return JSON.parse(stdout) as string[];
}

test("without exporters nothing of OpenTelemetry is loaded", async (t) => {
  t.deepEqual(await packagesLoaded({}), []);
  const disabled = { OTEL_SDK_DISABLED: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" };
  t.deepEqual(await packagesLoaded(disabled), []);
});

test("only the exporter in use is loaded", async (t) => {
  const loaded = await packagesLoaded({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://127.0.0.1:1" });
  t.true(loaded.includes("exporter-trace-otlp-proto"));
  t.false(loaded.some((name) => name.includes("grpc") || name === "exporter-metrics-otlp-proto"));
});

test("telemetry that is off passes traces on and runs what it is given", async (t) => {
  const telemetry = telemetryOff(new LogRecorder());
  t.false(telemetry.enabled);
  t.is(telemetry.startSpan("mesarch.accept", { parent: foreign, links: ["x"] }).traceparent, foreign);
  t.is(telemetry.startSpan("mesarch.accept").traceparent, undefined);
  t.is(await telemetry.span("mesarch.accept", { parent: foreign }, async (span) => span.traceparent), foreign);
  await t.throwsAsync(telemetry.span("mesarch.accept", {}, () => Promise.reject(new Error("x"))), { message: "x" });
  telemetry.instruments.commitDuration.record(1, { outcome: "committed" });
  telemetry.instruments.agents.observe(() => t.fail())();
  const other = new LogRecorder();
  t.is(telemetry.withLog(other).log, other);
  await telemetry[Symbol.asyncDispose]();
});
