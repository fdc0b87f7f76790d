/**
 * Bugs that the simulation must find: each is one change to the product's source, and the seeds within which a red run
 * is expected. A simulation that does not find an old bug any more has lost something.
 */
export interface PlantedBug {
  readonly name: string;
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
  /** What it breaks: it is found by one of these, and not by anything else that may go wrong then (see `Flaw.kind`). */
  readonly breaks: readonly string[];
  /** Found within so many seeds. */
  readonly seeds: number;
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "a deposed leader speaks on",
    file: "src/master/leader-loop.ts",
    find: 'return this.end({ kind: "deposed" });',
    replace: "break;",
    breaks: ["I3", "I4", "I24"],
    seeds: 20,
  },
  {
    name: "answers before the commit",
    file: "src/master/leader-loop.ts",
    find: "for (const word of step.words) if (isUnfenced(word)) this.#options.speaker.say(word, this.#revision);",
    replace: "for (const word of step.words) this.#options.speaker.say(word, this.#revision);",
    breaks: ["I3", "I6"],
    seeds: 10,
  },
  {
    name: "what was not committed is not undone",
    file: "src/master/leader-loop.ts",
    find: "for (const undo of this.#undo.toReversed()) this.#apply(undo);",
    replace: "",
    breaks: ["I3"],
    seeds: 40,
  },
  {
    name: "readings need no fence",
    file: "src/core/master/output.ts",
    find: 'if (output.kind === "milestone") return true;',
    replace: 'if (output.kind === "milestone" || output.kind === "operatorReply") return true;',
    breaks: ["I4", "I6", "I24"],
    seeds: 40,
  },
  {
    name: "an offer stays after it was used",
    file: "src/core/master/accept.ts",
    find: "for (const id of taken.keys()) offers.take(state, id);",
    replace: "for (const id of taken.keys()) if (taken.size > 1) offers.take(state, id);",
    breaks: ["I14", "I15", "complaints"],
    seeds: 20,
  },
  {
    name: "a repeated launch runs again",
    file: "src/core/master/launch.ts",
    find: "else if (known !== undefined) return answerTaken(state, tx, stream, info, known);",
    replace: "",
    breaks: ["I8", "I23"],
    seeds: 40,
  },
  {
    name: "a failover forgets the deadlines of frameworks that are away",
    file: "src/core/master/framework-lifetime.ts",
    find: '} else if (standing?.$case === "disconnectedAt") {',
    replace: '} else if (standing?.$case === "disconnectedAt" && now < 0) {',
    breaks: ["I20", "I29", "end"],
    seeds: 60,
  },
  {
    name: "a removed framework comes back",
    file: "src/core/master/subscription.ts",
    find: 'if (known === undefined ? wasRemoved(state, given) : known.standing?.$case === "removedAt") return refused(REMOVED);',
    replace: "",
    breaks: ["I21"],
    seeds: 60,
  },
  {
    name: "agents are given up without a window",
    file: "src/core/master/liveness.ts",
    find: "const left = agentPingTimeoutMs - (listeningTime(state, tx.now) - lastHeard(state, agentId));",
    replace: "const left = agentPingTimeoutMs / 20 - (listeningTime(state, tx.now) - lastHeard(state, agentId));",
    breaks: ["I22"],
    seeds: 20,
  },
  {
    name: "equal digests are taken on trust",
    file: "src/core/master/lists.ts",
    find: 'return report.tasks?.count === digest.count && report.tasks.sum === digest.sumText ? "nothing" : "list";',
    replace: 'return report.tasks?.count === digest.count || report.tasks?.sum !== digest.sumText ? "nothing" : "list";',
    breaks: ["I6", "I12", "I13", "I17", "I29", "end"],
    seeds: 40,
  },
  {
    name: "a kill is ordered once only",
    file: "src/core/master/delivery.ts",
    find: "if (isToBeKilled(tables, record)) killOn(state, tx, stream, record);\n    else if (record.latestState",
    replace: "if (isToBeKilled(tables, record)) continue;\n    else if (record.latestState",
    breaks: ["I11", "I12", "I29", "end"],
    seeds: 60,
  },
  {
    name: "a launch that the agent lacks is not ordered again",
    file: "src/core/master/delivery.ts",
    find: [
      "    if (record !== undefined) order(state, tx, stream, record);",
      "  }",
      "  const ownerless = new Set<string>();",
      "  for (const { frameworkId } of books.holdings) if (isFrameworkRemoved(tables, frameworkId)) ownerless.add(frameworkId);",
      "  if (books.orders === 0 && ownerless.size === 0) return;",
      "  for (const launchId of books.launches) {",
      "    const record = tables.tasks.get(launchId);",
      "    if (record === undefined || !mayRun(record)) continue;",
      "    if (isToBeKilled(tables, record)) killOn(state, tx, stream, record);",
      "    else if (record.latestState === TaskState.TASK_STAGING) watch(state, tx, record);",
    ].join("\n"),
    replace: [
      "    if (record !== undefined) continue;",
      "  }",
      "  const ownerless = new Set<string>();",
      "  for (const { frameworkId } of books.holdings) if (isFrameworkRemoved(tables, frameworkId)) ownerless.add(frameworkId);",
      "  if (books.orders === 0 && ownerless.size === 0) return;",
      "  for (const launchId of books.launches) {",
      "    const record = tables.tasks.get(launchId);",
      "    if (record === undefined || !mayRun(record)) continue;",
      "    if (isToBeKilled(tables, record)) killOn(state, tx, stream, record);",
      "    else if (record.latestState === TaskState.TASK_STAGING && !missing.includes(launchId)) watch(state, tx, record);",
    ].join("\n"),
    breaks: ["I6", "I12", "I29", "end"],
    seeds: 60,
  },
  {
    name: "an old update counts as news",
    file: "src/core/master/updates.ts",
    find: "const isNews = update.seq > row.seq && mayFollow(",
    replace: "const isNews = update.seq >= row.seq && mayFollow(",
    breaks: ["I18"],
    seeds: 60,
  },
  {
    name: "resources are freed twice",
    file: "src/core/master/allocation.ts",
    find: "export function taskFreed(state: MasterState, tx: Tx, task: TaskRecord): void {",
    replace: "export function taskFreed(state: MasterState, tx: Tx, task: TaskRecord, again = true): void {\n  if (again) taskFreed(state, tx, task, false);",
    breaks: ["I14", "complaints"],
    seeds: 10,
  },
  {
    name: "an agent obeys older epochs",
    file: "src/core/agent/session.ts",
    find: "  if (isOlder(epoch, state.epoch)) return refuse(state, step, link, batch, `obeys epoch ${epochText(state.epoch)}`);\n  // From here on",
    replace: "  if (isOlder(epoch, state.epoch)) state.epoch = epoch;\n  // From here on",
    breaks: ["I2"],
    seeds: 60,
  },
  {
    name: "an agent speaks before its journal is written",
    file: "src/agent/durability.ts",
    find: "const free = outputs.filter(isUnfenced);",
    replace: "const free = [...outputs];",
    breaks: ["I17"],
    seeds: 60,
  },
  {
    name: "any acknowledgement will do",
    file: "src/core/agent/status-stream.ts",
    find: " || !sameBytes(head.status?.uuid, uuid)) return;",
    replace: " || uuid.length === 0 || sameBytes(undefined, uuid)) return;",
    breaks: ["I19"],
    seeds: 60,
  },
  {
    name: "an unacknowledged update is said once",
    file: "src/core/agent/status-stream.ts",
    find: "    if (frameworkId === undefined || task.accepted.framework?.id?.value === frameworkId) sayHeadAfresh(state, step, task);",
    replace: "    if (frameworkId === \"\" && task.retryMs === 0) sayHeadAfresh(state, step, task);",
    breaks: ["I6", "I17", "I29", "end"],
    seeds: 60,
  },
  {
    name: "a framework kills another's task",
    file: "src/core/master/kill.ts",
    find: "const record = state.tables.taskById(stream.frameworkId, taskId);",
    replace: "const record = [...state.tables.tasks.values()].find(({ info }) => info?.taskId?.value === taskId);",
    breaks: ["I26"],
    seeds: 20,
  },
  {
    name: "a framework declines another's offer",
    file: "src/core/master/offers.ts",
    find: "if (stream.offers.has(id)) giveBack(",
    replace: "if (state.offers.has(id)) giveBack(",
    breaks: ["I26"],
    seeds: 60,
  },
  {
    name: "a leader hands over to peers that reach no more than it does",
    file: "src/master/leadership.ts",
    find: "if (best < 2 || own * 2 >= best) since = undefined;",
    replace: "if (best < 2 || own > best) since = undefined;",
    breaks: ["I29"],
    seeds: 20,
  },
];
