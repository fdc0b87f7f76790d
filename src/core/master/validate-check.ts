/** Checks and health checks of a task (Mesos 7.1, items 6 and 7). */
import {
  type CheckInfo,
  CheckInfo_Type as CheckType,
  type CommandInfo,
  type HealthCheck,
  HealthCheck_Type as HealthType,
} from "../../wire/gen/mesos/v1/mesos.ts";

export function checkError(check: CheckInfo): string | undefined {
  switch (check.type) {
    case CheckType.COMMAND:
      if (check.command?.command === undefined) return "Task's check: expecting 'command' to be set for a COMMAND check";
      if (!hasValue(check.command.command)) return "Task's check: the command has no value";
      break;
    case CheckType.HTTP:
      if (check.http === undefined) return "Task's check: expecting 'http' to be set for an HTTP check";
      if (!isPath(check.http.path)) return "Task's check: the path of an HTTP check must begin with '/'";
      break;
    case CheckType.TCP:
      if (check.tcp === undefined) return "Task's check: expecting 'tcp' to be set for a TCP check";
      break;
    default:
      return "Task's check must specify 'type'";
  }
  return negativeTime("check", check.delaySeconds, check.intervalSeconds, check.timeoutSeconds);
}

/** The type may be left out when the parts tell it, as old frameworks do (Mesos 6.4). */
export function healthCheckError(check: HealthCheck): string | undefined {
  switch (inferredType(check)) {
    case HealthType.COMMAND:
      if (check.command === undefined) return "Task's health check: expecting 'command' to be set for COMMAND";
      if (!hasValue(check.command)) return "Task's health check: the command has no value";
      break;
    case HealthType.HTTP: {
      if (check.http === undefined) return "Task's health check: expecting 'http' to be set for HTTP";
      const { scheme, path } = check.http;
      if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
        return `Task's health check: unsupported scheme '${scheme}'`;
      }
      if (!isPath(path)) return "Task's health check: the path must begin with '/'";
      break;
    }
    case HealthType.TCP:
      if (check.tcp === undefined) return "Task's health check: expecting 'tcp' to be set for TCP";
      break;
    default:
      return "Task's health check must specify 'type'";
  }
  const { delaySeconds, intervalSeconds, timeoutSeconds, gracePeriodSeconds } = check;
  return negativeTime("health check", delaySeconds, intervalSeconds, timeoutSeconds, gracePeriodSeconds);
}

export function inferredType(check: HealthCheck): HealthType | undefined {
  if (check.type !== undefined) return check.type;
  if (check.command !== undefined) return HealthType.COMMAND;
  return check.http === undefined ? undefined : HealthType.HTTP;
}

function hasValue(command: CommandInfo): boolean {
  return command.value !== undefined || (command.shell === false && command.arguments.length > 0);
}

function isPath(path: string | undefined): boolean {
  return path === undefined || path.startsWith("/");
}

function negativeTime(what: string, ...seconds: readonly (number | undefined)[]): string | undefined {
  return seconds.some((value) => value !== undefined && !(value >= 0)) ? `Task's ${what} has a negative time` : undefined;
}
