import test from "ava";
import { Resources } from "../../../src/model/resources.ts";
import { taskError } from "../../../src/core/master/validate-task.ts";
import { CheckInfo_Type, ContainerInfo_Type, type TaskInfo, Value_Type } from "../../../src/wire/gen/mesos/v1/mesos.ts";
import { scalar, task } from "./framework-double.ts";

function errorOf(more: Partial<TaskInfo>): string | undefined {
  const info = { ...task("t1", "a1"), ...more };
  const resources = Resources.fromMesos(info.resources);
  return taskError(info, resources.ok ? resources.value : Resources.none, { agentId: "a1", role: "web" });
}

test("a command task is valid; so are a container without image (S7), a limit and a long grace", (t) => {
  t.is(errorOf({}), undefined);
  t.is(errorOf({ container: { type: ContainerInfo_Type.MESOS, volumes: [], networkInfos: [] } }), undefined);
  t.is(errorOf({ limits: { cpus: { value: Infinity }, mem: { value: 128 } } }), undefined);
  t.is(errorOf({ killPolicy: { gracePeriod: { nanoseconds: 10n ** 15n } } }), undefined);
  t.is(errorOf({ command: { value: "/bin/true", shell: false, uris: [], arguments: [] } }), undefined);
});

const command = { value: "x", uris: [], arguments: [] };
const invalid: readonly (readonly [string, Partial<TaskInfo>, RegExp])[] = [
  ["1: an empty id", { taskId: { value: "" } }, /must not be empty/],
  ["1: an id of 256 bytes", { taskId: { value: "ä".repeat(128) } }, /longer than 255/],
  ["1: '..' as id", { taskId: { value: ".." } }, /disallowed/],
  ["1: no id", { taskId: undefined }, /must not be empty/],
  ["3: another agent", { agentId: { value: "a2" } }, /agent 'a1' is expected/],
  ["4: a negative grace", { killPolicy: { gracePeriod: { nanoseconds: -1n } } }, /non-negative/],
  ["5: a negative completion time", { maxCompletionTime: { nanoseconds: -1n } }, /non-negative/],
  ["6: a check without type", { check: {} }, /must specify 'type'/],
  ["6: a check without its part", { check: { type: CheckInfo_Type.TCP } }, /expecting 'tcp'/],
  ["6: a check with negative times", { check: { type: CheckInfo_Type.TCP, tcp: { port: 1 }, delaySeconds: -1 } }, /negative/],
  ["7: a health check of a strange scheme", { healthCheck: { http: { port: 1, scheme: "ftp", statuses: [] } } }, /scheme/],
  ["7: a health check with a relative path", { healthCheck: { http: { port: 1, path: "x", statuses: [] } } }, /begin with/],
  ["7: a health check of nothing", { healthCheck: {} }, /must specify 'type'/],
  ["8: no resources", { resources: [] }, /no resources/],
  ["8: resources of another allocation role", { resources: [{ ...scalar("cpus", 1), allocationInfo: { role: "db" } }] }, /allocated to role 'db'/],
  ["9: a variable without value", { command: { ...command, environment: { variables: [{ name: "A" }] } } }, /must have a value/],
  ["9: a secret", { command: { ...command, environment: { variables: [{ name: "A", type: 2 }] } } }, /secrets are not supported/],
  ["9: a shell command of nothing", { command: { uris: [], arguments: [] } }, /no value/],
  ["10: a Docker container", { container: { type: ContainerInfo_Type.DOCKER, volumes: [], networkInfos: [] } }, /Docker/],
  ["11: a limit for disk", { limits: { disk: { value: 1 } } }, /'cpus' and 'mem' only/],
  ["11: a limit below the request", { limits: { mem: { value: 64 } } }, /below its request/],
  ["11: a limit of what is not requested", { limits: { mem: { value: 64 } }, resources: [scalar("cpus", 1)] }, /does not request/],
  ["12: neither command nor executor", { command: undefined }, /exactly one/],
  ["12: both", { executor: { executorId: { value: "e" }, resources: [] } }, /exactly one/],
  ["13: an executor", { command: undefined, executor: { executorId: { value: "e" }, resources: [] } }, /not supported/],
];
for (const [what, more, message] of invalid) {
  test(`Mesos 7.1 ${what}`, (t) => t.regex(errorOf(more) ?? "", message));
}

test("Mesos 7.1, 8: what resources cannot be is found before", (t) => {
  t.false(Resources.fromMesos([scalar("cpus", -1)]).ok);
  t.false(Resources.fromMesos([scalar("gpus", 0.5)]).ok);
  t.false(Resources.fromMesos([{ name: "cpus", type: Value_Type.RANGES, scalar: { value: 1 }, reservations: [] }]).ok);
});
