import test from "ava";
import fc from "fast-check";
import {
  type StateSource,
  isTerminal,
  mayFollow,
  progressOf,
  stateFor,
  stateName,
  stateNamed,
} from "../../src/model/task-state.ts";
import { TaskState } from "../../src/wire/gen/mesos/v1/mesos.ts";

const states = Object.values(TaskState).filter((state) => state !== TaskState.UNRECOGNIZED);
const anyState = fc.constantFrom(...states);
const anySource = fc.constantFrom<StateSource[]>("agent", "master");

test("names", (t) => {
  t.is(stateName(TaskState.TASK_GONE_BY_OPERATOR), "TASK_GONE_BY_OPERATOR");
  t.is(stateName(99 as TaskState), "TASK_STATE_99");
  for (const state of states) t.is(stateNamed(stateName(state)), state);
  t.is(stateNamed("UNRECOGNIZED"), undefined);
});

test("unreachable and unknown are not ends", (t) => {
  const live = states.filter((state) => !isTerminal(state)).map(stateName);
  t.deepEqual(live.sort(), [
    "TASK_KILLING",
    "TASK_RUNNING",
    "TASK_STAGING",
    "TASK_STARTING",
    "TASK_UNKNOWN",
    "TASK_UNREACHABLE",
  ]);
});

test("without PARTITION_AWARE the newer states are all LOST", (t) => {
  const changed = states.filter((state) => stateFor({ partitionAware: false }, state) !== state);
  t.deepEqual(changed.map(stateName).sort(), [
    "TASK_DROPPED",
    "TASK_GONE",
    "TASK_GONE_BY_OPERATOR",
    "TASK_UNKNOWN",
    "TASK_UNREACHABLE",
  ]);
  for (const state of states) t.is(stateFor({ partitionAware: true }, state), state);
});

test("7.4: the first terminal state stands, only its echo is legal", (t) => {
  t.false(mayFollow(TaskState.TASK_FINISHED, TaskState.TASK_FAILED, "agent"));
  t.false(mayFollow(TaskState.TASK_FINISHED, TaskState.TASK_RUNNING, "agent"));
  t.false(mayFollow(TaskState.TASK_FINISHED, TaskState.TASK_GONE, "master"));
  t.true(mayFollow(TaskState.TASK_FINISHED, TaskState.TASK_FINISHED, "agent"));
  t.false(mayFollow(TaskState.TASK_GONE_BY_OPERATOR, TaskState.TASK_RUNNING, "agent"));
  t.false(mayFollow(TaskState.TASK_DROPPED, TaskState.TASK_RUNNING, "agent"));
});

test("7.4: unreachable, and lost by absence, may be followed by the truth", (t) => {
  t.true(mayFollow(TaskState.TASK_UNREACHABLE, TaskState.TASK_RUNNING, "master"));
  t.true(mayFollow(TaskState.TASK_UNREACHABLE, TaskState.TASK_FINISHED, "agent"));
  t.true(mayFollow(TaskState.TASK_UNREACHABLE, TaskState.TASK_GONE_BY_OPERATOR, "master"));
  t.true(mayFollow(TaskState.TASK_LOST, TaskState.TASK_RUNNING, "agent"));
  t.false(mayFollow(TaskState.TASK_LOST, TaskState.TASK_RUNNING, "agent", "agent"));
});

test("a master does not make up what only an agent can know", (t) => {
  t.false(mayFollow(TaskState.TASK_STAGING, TaskState.TASK_RUNNING, "master"));
  t.false(mayFollow(TaskState.TASK_RUNNING, TaskState.TASK_FINISHED, "master"));
  t.true(mayFollow(TaskState.TASK_RUNNING, TaskState.TASK_GONE, "master"));
  t.false(mayFollow(TaskState.TASK_RUNNING, TaskState.TASK_UNREACHABLE, "agent"));
  t.false(mayFollow(TaskState.TASK_RUNNING, TaskState.TASK_STAGING, "master"));
});

test("property: nothing but an echo follows an end, save a master's LOST", (t) => {
  fc.assert(
    fc.property(anyState, anyState, anySource, (previous, next, source) => {
      if (isTerminal(previous) && previous !== TaskState.TASK_LOST) {
        t.is(mayFollow(previous, next, source), next === previous);
      }
    }),
  );
});

test("property: a task in no end may always end by its agent's word", (t) => {
  const agentEnds = states.filter((state) => progressOf(state) === 4 && state !== TaskState.TASK_GONE_BY_OPERATOR);
  for (const previous of states.filter((state) => !isTerminal(state))) {
    for (const end of agentEnds) t.true(mayFollow(previous, end, "agent"), `${stateName(previous)} ${stateName(end)}`);
  }
});
