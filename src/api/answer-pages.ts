/** Keeps answers to operators within one message: a list ends before it grows too large, and says so. */
import { limits } from "../model/limits.ts";
import {
  AgentView,
  FrameworkView,
  RegistryRow,
  TaskView,
  type OperatorRequest,
  type OperatorResponse,
} from "../wire/gen/mesarch/v1/operator.ts";

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
}

/** The answer with as much of its list as fits; the rest is asked for with `next`, or by a narrower question. */
export function fitted(request: OperatorRequest, response: OperatorResponse): OperatorResponse {
  const { answer } = response;
  const { call } = request;
  if (answer?.$case === "tasks") {
    const tasks = fitting(answer.value.tasks, TaskView);
    const truncated = answer.value.truncated || tasks.length < answer.value.tasks.length;
    return { ...response, answer: { ...answer, value: { ...answer.value, tasks, truncated } } };
  }
  if (answer?.$case === "registry") {
    const rows = fitting(answer.value.rows, RegistryRow);
    const next = rows.length < answer.value.rows.length ? rows.at(-1)!.key : answer.value.next;
    return { ...response, answer: { ...answer, value: { ...answer.value, rows, next } } };
  }
  if (answer?.$case === "agents" && call?.$case === "listAgents") {
    const { page: agents, next } = page(answer.value.agents, call.value.after, AgentView);
    return { ...response, answer: { ...answer, value: { ...answer.value, agents, next } } };
  }
  if (answer?.$case === "frameworks" && call?.$case === "listFrameworks") {
    const { page: frameworks, next } = page(answer.value.frameworks, call.value.after, FrameworkView);
    return { ...response, answer: { ...answer, value: { ...answer.value, frameworks, next } } };
  }
  return response;
}

/** Those after this id, in the order of ids. */
function page<T extends { readonly id: string }>(all: readonly T[], after = "", codec: Codec<T>): { page: T[]; next: string | undefined } {
  const wanted = all.filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
  const fits = fitting(wanted, codec);
  return { page: fits, next: fits.length < wanted.length ? fits.at(-1)!.id : undefined };
}

/** The first of them, up to the bound; one at least. */
function fitting<T>(all: readonly T[], codec: Codec<T>): T[] {
  let bytes = 0;
  const end = all.findIndex((one, index) => {
    bytes += codec.encode(one).finish().length;
    return bytes > limits.answerBytes && index > 0;
  });
  return end < 0 ? [...all] : all.slice(0, end);
}
