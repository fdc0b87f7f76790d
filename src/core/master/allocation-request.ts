import type { MasterState } from "./state.ts";

/** Asks for an allocation at the end of the present mailbox drain; any number of requests make one. */
export function request(state: MasterState, now: number): void {
  state.deadlines.setEarlier("allocate", now);
}
