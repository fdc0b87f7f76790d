import { randomUUID } from "node:crypto";
import type { EtcdCluster } from "../../src/dev/etcd-cluster.ts";
import type { EtcdOptions } from "../../src/etcd/options.ts";
import { connectStore } from "../../src/etcd/store.ts";
import type { Store } from "../../src/ports/registry.ts";
import type { StoreWorld } from "../contracts/store-world.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

const FILLER_BYTES = 1_400_000;
const FILLERS_MAX = 200;

/** A real store for the contract suite: a prefix of its own on a shared cluster, reached through proxies. */
export class EtcdWorld implements StoreWorld {
  readonly prefix = `test-${randomUUID()}/`;
  readonly #cluster: EtcdCluster;
  readonly #proxies: readonly TcpProxy[];
  readonly #stores: Store[] = [];
  #filled = false;

  private constructor(cluster: EtcdCluster, proxies: readonly TcpProxy[]) {
    this.#cluster = cluster;
    this.#proxies = proxies;
  }

  static async open(cluster: EtcdCluster): Promise<EtcdWorld> {
    return new EtcdWorld(cluster, await Promise.all(cluster.endpoints.map((endpoint) => TcpProxy.start(Number(new URL(endpoint).port)))));
  }

  connect(options: Partial<EtcdOptions> = {}): Store {
    const endpoints = this.#proxies.map(({ port }) => `http://127.0.0.1:${port}`);
    const store = connectStore({ endpoints, prefix: this.prefix, ...options });
    this.#stores.push(store);
    return store;
  }

  cut(): void {
    this.#proxies.forEach((proxy) => proxy.cut());
  }

  heal(): void {
    this.#proxies.forEach((proxy) => proxy.heal());
  }

  /** Every answer arrives so much later. */
  slow(ms: number): void {
    this.#proxies.forEach((proxy) => proxy.delayAnswers(ms));
  }

  /** Real leases expire by themselves: nobody here sends keep-alives. */
  async expireLease(): Promise<void> {}

  async fill(): Promise<void> {
    this.#filled = true;
    const value = Buffer.alloc(FILLER_BYTES).toString("base64");
    for (let n = 0; n < FILLERS_MAX; n += 1) {
      const response = await this.#post("kv/put", { key: this.#fillerKey(n), value });
      if (!response.ok && (await response.text()).includes("database space exceeded")) return;
    }
    throw new Error(`the store was not full after ${FILLERS_MAX} rows: start the cluster with a small quota`);
  }

  async drain(): Promise<void> {
    this.#filled = false;
    const range = { key: this.#fillerKey(""), range_end: this.#fillerKey("~") };
    const deleted = (await (await this.#post("kv/deleterange", range)).json()) as { header: { revision: string } };
    await this.#post("kv/compaction", { revision: deleted.header.revision, physical: true });
    await Promise.all(this.#cluster.endpoints.map((endpoint) => this.#post("maintenance/defragment", {}, endpoint)));
    const { alarms } = (await (await this.#post("maintenance/alarm", { action: "GET" })).json()) as { alarms?: object[] };
    for (const alarm of alarms ?? []) await this.#post("maintenance/alarm", { ...alarm, action: "DEACTIVATE" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) await store[Symbol.asyncDispose]();
    if (this.#filled) await this.drain(); // the next world needs room
    for (const proxy of this.#proxies) await proxy[Symbol.asyncDispose]();
  }

  #fillerKey(n: number | string): string {
    return Buffer.from(`filler/${n}`).toString("base64");
  }

  /** etcd's own JSON door: the suite must not depend on what it tests. */
  #post(path: string, body: object, endpoint = this.#cluster.endpoints[0]!): Promise<Response> {
    return fetch(`${endpoint}/v3/${path}`, { method: "POST", body: JSON.stringify(body), signal: AbortSignal.timeout(30_000) });
  }
}
