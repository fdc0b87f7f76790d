import test from "ava";
import { agentOptions, checkAgent } from "../../src/config/agent-options.ts";
import { checkClient, clientOptions } from "../../src/config/client-options.ts";
import { compile, ConfigError } from "../../src/config/compile.ts";
import { checkMaster, masterOptions } from "../../src/config/master-options.ts";
import { defaultMasterSettings } from "../../src/core/master/settings.ts";

test("the defaults of every declaration hold together", (t) => {
  t.notThrows(() => compile(masterOptions, {}, checkMaster));
  t.notThrows(() => compile(agentOptions, {}, checkAgent));
  t.notThrows(() => compile(clientOptions, {}, checkClient));
});

test("a master's defaults are the machine's own", (t) => {
  const { values } = compile(masterOptions, {});
  t.like(defaultMasterSettings, {
    agentPingIntervalMs: values.agentPingInterval,
    agentPingTimeoutMs: values.agentPingTimeout,
    schedulerHeartbeatMs: values.schedulerHeartbeat,
    offerTimeoutMs: values.offerTimeout,
    launchResendMs: values.launchResend,
    unreachablePerMinute: values.unreachablePerMinute,
    lostByMasterGraceSeconds: values.lostByMasterGrace / 1_000,
    resubscribeWindowMs: values.resubscribeWindow,
    unreachableRetentionSeconds: values.unreachableRetention / 1_000,
    killGraceMs: values.killGrace,
    filterGpuResources: values.filterGpuResources,
  });
});

test("what contradicts in a master's options is found together", (t) => {
  const flags = {
    peerHeartbeat: "300ms",
    peerSilence: "400ms",
    leaseTtl: "2500ms",
    agentPingInterval: "1min",
    grpcPort: "5050",
    etcdEndpoints: "http://a:1,https://b:1",
    etcdKey: "k",
    weights: "web=0",
  };
  const error = t.throws(() => compile(masterOptions, { flags }, checkMaster), { instanceOf: ConfigError });
  t.deepEqual(
    error!.problems.map((problem) => problem.split(" ")[0]!.replace(/:$/, "")),
    ["weights", "peer-silence", "lease-ttl", "agent-ping-timeout", "grpc-port", "etcd-endpoints", "etcd-cert"],
  );
});

test("an agent's resources and attributes are checked as they are written", (t) => {
  t.notThrows(() => compile(agentOptions, { flags: { resources: "cpus:4;mem:1024;ports:[31000-31009]", attributes: "rack:r1;ssd:true" } }));
  t.throws(() => compile(agentOptions, { flags: { resources: "cpus:many:x" } }), { message: /resources: resource 'cpus:many:x'/ });
  t.throws(() => compile(agentOptions, { flags: { masters: "http://a" } }), { message: /host:port/ });
});
