/**
 * A framework in a few lines: runs a command five times, wherever there is room, and tells how each went. Masters may die
 * meanwhile; it does not notice.
 *
 *     npx mesarch dev                           # in one terminal
 *     node examples/hello-framework.ts          # in another; MESARCH_MASTERS names other masters
 */
import { commandTask, connectScheduler, fits, isTerminal, TaskState, taskStateName } from "mesarch";

const masters = process.env["MESARCH_MASTERS"] ?? "127.0.0.1:6050,127.0.0.1:6051,127.0.0.1:6052";
const session = await connectScheduler({ masters, framework: { name: "hello" }, autoAcknowledge: true });

const newTask = (number: number) => commandTask({ id: `hello-${number}`, command: `echo hello from task ${number}; sleep 1` });
const tasks = [1, 2, 3, 4, 5].map(newTask);
const waiting = [...tasks];
let running = tasks.length;

for await (const event of session.events) {
  if (event.type === "offers") {
    for (const offer of event.offers) {
      const launched = waiting.splice(0, waiting[0] === undefined ? 0 : fits(offer, waiting[0]));
      if (launched.length > 0) await session.launch(offer, launched);
      else await session.decline(offer, { refuseSeconds: 60 });
    }
  } else if (event.type === "update") {
    const { taskId, state, message } = event.status;
    console.log(taskId?.value, taskStateName(state), message ?? "");
    if (state === TaskState.TASK_DROPPED) {
      // Its offer was gone, so it never started: once more, on the next one.
      waiting.push(...tasks.filter((task) => task.taskId?.value === taskId?.value));
      await session.revive();
    } else if (isTerminal(state)) running -= 1;
    if (running > 0) continue;
    await session.acknowledge(event.status); // the loop does that when it goes on, not when it is left
    break;
  } else if (event.type === "leaderChanged") {
    console.log(`${event.to.name} leads now`);
  }
}
await session.teardown();
