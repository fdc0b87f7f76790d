import type { LogChunk, ReadLogRequest } from "../wire/gen/mesarch/v1/agent_operator.ts";

/** The output of tasks, as served to operators. */
export interface TaskLogs {
  /**
   * The bytes asked for, and with `follow` those to come until the task has ended. Throws `MesarchError`: `not_found`
   * for a launch that was never here or whose sandbox was collected, `invalid` for a malformed request.
   */
  read(request: ReadLogRequest, signal: AbortSignal): AsyncIterable<LogChunk>;
}
