/**
 * The TypeScript SDK of mesarch: write a framework (`connectScheduler`), operate a cluster (`OperatorClient`), follow who
 * leads (`LeaderTracker`). Everything survives the loss of masters by itself.
 *
 *     import { commandTask, connectScheduler, fits } from "mesarch";
 */
export { connectScheduler, SchedulerSession, type OfferLike, type SchedulerOptions } from "./scheduler.ts";
export type { SchedulerEvent } from "./events.ts";
export type { FilterOptions, TaskReference } from "./calls.ts";
export type { CallOptions } from "./pending-calls.ts";
export { newFrameworkId, type FrameworkCapability, type FrameworkOptions } from "./framework.ts";
export {
  amounts,
  commandTask,
  exitStatus,
  fits,
  isTerminal,
  scalarResource,
  taskStateName,
  type CommandTaskOptions,
  type TaskStateName,
} from "./tasks.ts";

export { OperatorClient, type OperatorOptions, type ReadOptions, type Succession, type TaskFilter } from "./operator.ts";
export type { EventOptions, OperatorNews } from "./operator-events.ts";
export type { LogOptions, LogPart } from "./logs.ts";
export { LeaderTracker, type Leader, type LeaderTrackerOptions } from "./leader.ts";
export { DEFAULT_MASTER_PORT, parseMasters } from "./masters.ts";

export { errorTable, FrameworkFailedOverError, FrameworkRemovedError, MesarchError } from "./errors.ts";
export type { ErrorCode } from "./errors.ts";
export type { Epoch } from "../base/epoch.ts";

// The messages of the Mesos v1 API, for what the plain options do not cover.
export { Offer_Operation_Type, TaskState, Value_Type } from "../wire/gen/mesos/v1/mesos.ts";
export type { InverseOffer, Offer, Offer_Operation, OperationStatus, Resource, TaskInfo, TaskStatus } from "../wire/gen/mesos/v1/mesos.ts";
export type { AgentView, FrameworkView, MasterView, RegistryRow, Status, TaskView } from "../wire/gen/mesarch/v1/operator.ts";
export type { LeaderRecord } from "../wire/gen/mesarch/v1/registry.ts";
