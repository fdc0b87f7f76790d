/** Answers to operators that would be larger than one message. */
import test from "ava";
import { fitted } from "../../src/api/answer-pages.ts";
import { limits } from "../../src/model/limits.ts";
import { OperatorResponse, type OperatorRequest } from "../../src/wire/gen/mesarch/v1/operator.ts";

/** Two fit one answer, three do not. */
const big = "x".repeat(limits.answerBytes / 2 - 1_000);

function ask(call: object, answer: object): unknown {
  const response = fitted({ allowStale: false, call } as OperatorRequest, OperatorResponse.fromPartial({ answer } as never));
  if (OperatorResponse.encode(response).finish().length > limits.messageBytes) throw new Error("larger than a message");
  return response.answer!.value;
}

/** The ids of each page. */
function pages($case: "agents" | "frameworks", ids: readonly string[]): string[] {
  const views = ids.map((id) => ({ id, record: { info: { hostname: big } } }));
  const call = $case === "agents" ? "listAgents" : "listFrameworks";
  const found: string[] = [];
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    const answer = ask({ $case: call, value: { after } }, { $case, value: { [$case]: views } }) as Record<string, { id: string }[]> & { next?: string };
    found.push(answer[$case]!.map(({ id }) => id).join());
    after = answer.next;
  }
  return found;
}

test("13.4 agents and frameworks come in pages, in the order of their ids", (t) => {
  for (const kind of ["agents", "frameworks"] as const) {
    t.deepEqual(pages(kind, ["d", "a", "c", "b", "e"]), ["a,b", "c,d", "e"]);
    t.deepEqual(pages(kind, ["b", "a"]), ["a,b"]);
    t.deepEqual(pages(kind, []), [""]);
  }
});

test("13.4 a list of tasks that is cut says so", (t) => {
  const tasks = ["t3", "t2", "t1"].map((launchId) => ({ record: { launchId, agentId: big } }));
  const list = { $case: "listTasks", value: {} };
  const cut = ask(list, { $case: "tasks", value: { tasks } }) as { tasks: { record: { launchId: string } }[]; truncated: boolean };
  t.deepEqual(cut.tasks.map(({ record }) => record.launchId), ["t3", "t2"]);
  t.true(cut.truncated);
  t.like(ask(list, { $case: "tasks", value: { tasks: tasks.slice(1) } }), { truncated: false });
});

test("13.4 a page of the registry ends before it is too large, and goes on after its last row", (t) => {
  const rows = ["a/1", "f/1", "t/1"].map((key) => ({ key, json: big }));
  const cut = ask({ $case: "dumpRegistry", value: {} }, { $case: "registry", value: { rows, next: "" } });
  t.like(cut, { next: "f/1" });
  t.like(ask({ $case: "dumpRegistry", value: {} }, { $case: "registry", value: { rows: rows.slice(2), next: "t/1" } }), { next: "t/1" });
});
