import type { TestFn } from "ava";
import { electionContract } from "./election-contract.ts";
import { registryContract } from "./registry-contract.ts";
import type { StoreWorld } from "./store-world.ts";

/** What every `Store` must do, run over the real adapter and its in-memory twin. Titles cite the protocol rules. */
export function storeContract(test: TestFn, open: () => Promise<StoreWorld>): void {
  registryContract(test, open);
  electionContract(test, open);
}
