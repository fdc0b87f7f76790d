import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { agentOptions } from "../../src/config/agent-options.ts";
import { clientOptions } from "../../src/config/client-options.ts";
import { compile, ConfigError, describe } from "../../src/config/compile.ts";
import { bytes, choice, decimal, duration, integer, list, onOff, text } from "../../src/config/declare.ts";
import { readConfigFile } from "../../src/config/file.ts";
import { masterOptions } from "../../src/config/master-options.ts";

const options = {
  name: text({ doc: "Name", default: "n" }),
  port: integer({ doc: "Port", default: 1, min: 1, max: 10 }),
  leaseTtl: duration({ doc: "TTL", default: "5s", min: 1_000 }),
  logSize: bytes({ doc: "Size", default: "10MiB" }),
  share: decimal({ doc: "Share", default: 0.5, min: 0, max: 1 }),
  fast: onOff({ doc: "Fast", default: true }),
  peers: list({ doc: "Peers", default: ["a"], check: (peer) => (peer === "bad" ? `"bad" is no peer` : undefined) }),
  level: choice(["low", "high"], { doc: "Level", default: "low" }),
  path: text({ doc: "Path" }),
};

function problems(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test("defaults", (t) => {
  const { values, origins } = compile(options, {});
  t.like(values, { name: "n", port: 1, leaseTtl: 5_000, logSize: 10_485_760, share: 0.5, fast: true, level: "low", path: undefined });
  t.deepEqual(values.peers, ["a"]);
  t.is(origins.port, "default");
  t.true(Object.isFrozen(values));
});

test("a flag comes before the environment, the environment before the file, the file before the default", (t) => {
  const sources = {
    flags: { port: "2" },
    env: { MESARCH_PORT: "3", MESARCH_LEASE_TTL: "3s", MESARCH_NAME: "" },
    file: { path: "f.yaml", values: { port: 4, "lease-ttl": "4s", "log-size": "4KiB", name: "file" } },
  };
  const compiled = compile(options, sources);
  t.like(compiled.values, { port: 2, leaseTtl: 3_000, logSize: 4_096, name: "file" });
  t.like(compiled.origins, { port: "flag --port", leaseTtl: "environment MESARCH_LEASE_TTL", logSize: "file f.yaml", share: "default" });
  t.true(describe(options, compiled).includes("lease-ttl = 3s  # environment MESARCH_LEASE_TTL"));
  t.true(describe(options, compiled).includes("path = (none)  # default"));
});

test("text and typed values are read alike", (t) => {
  const raw = { port: "7", share: "0.25", fast: "false", peers: "a, b,", level: "high", name: 5 };
  const typed = { port: 7, share: 0.25, fast: false, peers: ["a", "b"], level: "high", name: "5" };
  t.deepEqual(compile(options, { flags: raw }).values, compile(options, { flags: typed }).values);
});

test("every problem is listed, with its origin and, for unknown keys, what was meant", (t) => {
  const found = problems(() =>
    compile(
      options,
      {
        flags: { port: "eleven", share: "2" },
        env: { MESARCH_LEASE_TTL: "5", MESARCH_LOG_SIZE: "10 bananas" },
        file: { path: "f.yaml", values: { "lease-tll": "1s", zzz: 1, level: "medium", peers: ["bad"], fast: "perhaps" } },
      },
      () => ["a and b contradict"],
    ),
  );
  t.deepEqual(found, [
    "lease-tll: there is no such option (did you mean lease-ttl?) (file f.yaml)",
    "zzz: there is no such option (file f.yaml)",
    'port: "eleven" is not a whole number (flag --port)',
    'lease-ttl: "5" is not a duration; write a number and ms, s, min, h, day or week (environment MESARCH_LEASE_TTL)',
    'log-size: "10 bananas" is not a size; write a number and B, KiB, MiB or GiB (environment MESARCH_LOG_SIZE)',
    "share: 2 is not between 0 and 1 (flag --share)",
    'fast: "perhaps" is neither true nor false (file f.yaml)',
    'peers: "bad" is no peer (file f.yaml)',
    'level: "medium" is none of low, high (file f.yaml)',
    "a and b contradict",
  ]);
});

test("a variable that is nearly an option is a problem; one of another command, or far from any, is not", (t) => {
  const env = {
    MESARCH_LEASE_TLL: "9s",
    MESARCH_PROT: "3",
    MESARCH_CONFG: "a.yaml",
    // Of other commands, of benchmarks, of the surroundings, and unset.
    MESARCH_MASTERS: "a:1",
    MESARCH_WORK_DIR: "/w",
    MESARCH_CONFIG: "a.yaml",
    MESARCH_BENCH_BUILD: "dist",
    MESARCH_SERVICE_HOST: "10.0.0.1",
    MESARCH_SERVICE_PORT: "6050",
    MESARCH_PORT_6050_TCP: "tcp://10.0.0.1:6050",
    MESARCH_NAMES: "",
    LEASE_TLL: "9s",
  };
  t.deepEqual(problems(() => compile(options, { env })), [
    "MESARCH_LEASE_TLL: there is no such option (did you mean MESARCH_LEASE_TTL?) (environment)",
    "MESARCH_PROT: there is no such option (did you mean MESARCH_PORT?) (environment)",
    "MESARCH_CONFG: there is no such option (did you mean MESARCH_CONFIG?) (environment)",
  ]);
});

test("variables that Kubernetes and others set are no misspelled option of any command", (t) => {
  const env = Object.fromEntries(
    ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_GRPC", "PORT", "PORT_6050_TCP", "PORT_6050_TCP_ADDR", "PORT_6050_TCP_PORT", "PORT_6050_TCP_PROTO", "HOME", "ROOT", "DIR", "ENV", "VERSION", "E2E_DIST", "BENCH_MASTER_ARGS", "TEST_ETCD_FROM_SOURCE"].map(
      (name) => [`MESARCH_${name}`, "x"],
    ),
  );
  for (const declarations of [masterOptions, agentOptions, clientOptions]) t.deepEqual(problems(() => compile(declarations, { env })), []);
});

test("ranges are said in the option's own unit", (t) => {
  t.deepEqual(problems(() => compile(options, { flags: { leaseTtl: "500ms" } })), [
    "lease-ttl: 500ms is below the least, 1s (flag --lease-ttl)",
  ]);
});

test("YAML, TOML and JSON files are read; others and broken ones are refused", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "mesarch-config-"));
  const write = async (name: string, content: string): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  try {
    const wanted = { port: 3, peers: ["a", "b"] };
    t.deepEqual((await readConfigFile(await write("a.yaml", "port: 3\npeers: [a, b]\n"))).values, wanted);
    t.deepEqual((await readConfigFile(await write("a.toml", 'port = 3\npeers = ["a", "b"]\n'))).values, wanted);
    t.deepEqual((await readConfigFile(await write("a.json", '{"port": 3, "peers": ["a", "b"]}'))).values, wanted);
    t.deepEqual((await readConfigFile(await write("empty.yaml", ""))).values, {});
    await t.throwsAsync(readConfigFile(await write("a.ini", "")), { code: "invalid", message: /extension/ });
    await t.throwsAsync(readConfigFile(await write("b.toml", "port = = 3")), { code: "invalid", message: /cannot be parsed/ });
    await t.throwsAsync(readConfigFile(await write("c.yaml", "- 1")), { code: "invalid", message: /name: value/ });
    await t.throwsAsync(readConfigFile(join(folder, "none.yaml")), { code: "invalid", message: /cannot be read/ });
  } finally {
    await rm(folder, { recursive: true });
  }
});
