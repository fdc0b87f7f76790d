/** `mesarch drill`: faults on purpose, measured on one's own cluster. */
import type { Command } from "commander";
import { answerOptions, checkClient } from "../../config/client-options.ts";
import { choice, integer, text } from "../../config/declare.ts";
import { formatDuration, parseDuration } from "../../config/units.ts";
import { UsageError } from "../../config/usage-error.ts";
import { OperatorClient } from "../../sdk/operator.ts";
import type { Define } from "../commands.ts";
import { runDrill } from "../drill/drill.ts";
import { drillKinds, objectives, type DrillReport } from "../drill/report.ts";
import { defaultDirectory, newId, Reports } from "../drill/reports.ts";
import { drills, drillScreen } from "../drill/show.ts";
import { Exit, EXIT_DRILL_MISSED, EXIT_INTERRUPTED } from "../exit-codes.ts";
import { stopSignal, type Io } from "../io.ts";
import { addOptions, compileOptions } from "../options.ts";
import { renderDocument, renderList, type Form } from "../render.ts";

const group = "The drill";

const reportsOption = {
  reports: text({ doc: "Where reports are kept, the latest 200; default: mesarch/drills in $XDG_STATE_HOME or ~/.local/state", placeholder: "dir", group }),
};

const runOptions = {
  ...answerOptions,
  kind: choice(drillKinds, { doc: "What is done: see below", group }),
  rounds: integer({ doc: "How often", default: 1, min: 1, max: 1_000, group }),
  canaries: integer({ doc: "Small tasks of its own that are watched: 0.01 cpus, 16 MiB each", default: 10, min: 1, max: 1_000, group }),
  role: text({ doc: "Role whose offers the canaries use", default: "*", group }),
  agent: text({ doc: "Agent to restart, by id or host; default: the one with most canaries", placeholder: "id", group }),
  ...reportsOption,
};

const reportOptions = { output: answerOptions.output, ...reportsOption };

/** Only what every client has comes from the environment: MESARCH_ROLE and the like belong to nobody. */
const runSources = { env: Object.keys(answerOptions) };
const reportSources = { env: ["output"] };

export const define: Define = (command, io) => {
  const run = command.command("run").description("strike the cluster, measure how long it needs, look for every task, and keep the report");
  addOptions(run, runOptions, runSources)
    .option("--objective <ms>", "the longest a round may take, as milliseconds or 1.5s; default: see below")
    .addHelpText("after", RUN_HELP)
    .action((flags: { objective?: string }) => runOnce(run, flags.objective, io));
  const report = command.command("report [id]").description("past drills, newest first; with an id or its beginning, the whole report");
  addOptions(report, reportOptions, reportSources).action((id: string | undefined) => showReports(report, id, io));
};

const RUN_HELP = `
Kinds, each with its objective:
  handover       ${objective("handover")}  the leader hands over, as with mesarch leader step-down
  crash             ${objective("crash")}  the leader's process ends by SIGKILL
  hang              ${objective("hang")}  the leader's process is stopped for 5 s (SIGSTOP)
  agent-restart    ${objective("agent-restart")}  an agent's process ends by SIGKILL; its tasks go on

Measured is the time from the order until a task launched after it runs: under the next leader, or on the agent that came
back. All but handover need masters, or the agent, that run with --allow-drills under a supervisor that starts them
again; mesarch dev does both. Between rounds the drill waits until the cluster is whole.

Every task that ran before is looked for afterwards. One that ended by itself, or by order of its framework or an
operator, is no loss. Canaries are also asked by their own output. Ctrl-C ends them; so does the cluster, a minute after a
drill was killed.

Ends with 0 when every round held its objective and no task came to harm, with 6 when a round missed the objective,
with 1 when a task came to harm or the cluster did not recover.`;

async function runOnce(command: Command, objectiveText: string | undefined, io: Io): Promise<void> {
  const { values: config } = await compileOptions(command, runOptions, io, checkClient, runSources);
  const { kind } = config;
  if (kind === undefined) throw new UsageError(`--kind is needed: one of ${drillKinds.join(", ")}`);
  if (config.agent !== undefined && kind !== "agent-restart") throw new UsageError("--agent is for --kind agent-restart");
  const objectiveMs = objectiveText === undefined ? objectives[kind] : parseObjective(objectiveText);
  const reports = new Reports(config.reports ?? defaultDirectory(io.env));
  const note = (line: string): void => void io.stderr.write(`${line}\n`);
  using stop = stopSignal(io);
  using operator = new OperatorClient({ masters: config.masters, timeoutMs: config.timeout });
  const { rounds, canaries, role, agent, masters } = config;
  const id = newId(kind, new Date());
  const asked = { kind, rounds, canaries, role, agent, masters, objectiveMs, timeoutMs: config.timeout, id };
  const report = await runDrill({ ...asked, operator, note, signal: stop.signal }).catch((error: unknown) => {
    throw stop.signal.aborted ? new Exit(EXIT_INTERRUPTED) : error;
  });
  await show(report, config.output, io);
  note(`kept as ${reports.keep(report)}`);
  if (report.verdict !== "held") throw new Exit(report.verdict === "missed" ? EXIT_DRILL_MISSED : 1);
}

async function showReports(command: Command, id: string | undefined, io: Io): Promise<void> {
  const { values: config } = await compileOptions(command, reportOptions, io, () => [], reportSources);
  const reports = new Reports(config.reports ?? defaultDirectory(io.env));
  if (id !== undefined) return show(reports.read(id), config.output, io);
  const readable = reports.ids().flatMap((each): DrillReport[] => {
    try {
      return [reports.read(each)];
    } catch (error) {
      io.stderr.write(`${(error as Error).message}\n`);
      return [];
    }
  });
  io.stdout.write(await renderList(drills, readable, config.output));
}

async function show(report: DrillReport, form: Form, io: Io): Promise<void> {
  const forPrograms = form === "json" || form === "yaml";
  io.stdout.write(forPrograms ? await renderDocument(report, form) : drillScreen(report));
}

function objective(kind: keyof typeof objectives): string {
  return formatDuration(objectives[kind]);
}

function parseObjective(given: string): number {
  const ms = parseDuration(/^\d+$/.test(given) ? `${given}ms` : given);
  if (ms === undefined || ms <= 0) throw new UsageError(`--objective ${given} is neither milliseconds nor a duration like 1.5s`);
  return ms;
}
