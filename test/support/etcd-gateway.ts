/** What an etcd administrator does, through the members' HTTP gateway. */
import type { EtcdCluster } from "../../src/dev/etcd-cluster.ts";

export class EtcdGateway {
  readonly #endpoints: readonly string[];

  constructor(etcd: EtcdCluster) {
    this.#endpoints = etcd.endpoints;
  }

  async put(key: string, value: Uint8Array): Promise<void> {
    await this.#post("kv/put", { key: base64(key), value: Buffer.from(value).toString("base64") });
  }

  /** The value of a key; undefined if there is none. */
  async get(key: string): Promise<Buffer | undefined> {
    const { kvs } = (await this.#post("kv/range", { key: base64(key) })) as { kvs?: { value: string }[] };
    return kvs?.[0] === undefined ? undefined : Buffer.from(kvs[0].value, "base64");
  }

  /** Puts under `prefix` until the store refuses. */
  async fill(prefix: string): Promise<void> {
    for (const size of [512 * 1024, 16 * 1024, 1024]) {
      for (let i = 0; ; i += 1) {
        try {
          await this.put(`${prefix}${size}-${i}`, Buffer.alloc(size, i));
        } catch (error) {
          if (!String(error).includes("database space exceeded")) throw error;
          break;
        }
      }
    }
  }

  /** Removes what is under `prefix`, gives the space back, and disarms the alarm. */
  async makeRoom(prefix: string): Promise<void> {
    const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
    const { header } = (await this.#post("kv/deleterange", { key: base64(prefix), range_end: base64(end) })) as { header: { revision: string } };
    await this.#post("kv/compaction", { revision: header.revision, physical: true });
    for (const endpoint of this.#endpoints) await this.#post("maintenance/defragment", {}, endpoint);
    const { alarms = [] } = (await this.#post("maintenance/alarm", { action: "GET" })) as { alarms?: { memberID: string }[] };
    for (const { memberID } of alarms) await this.#post("maintenance/alarm", { action: "DEACTIVATE", memberID, alarm: "NOSPACE" });
  }

  async #post(call: string, body: object, endpoint = this.#endpoints[0]!): Promise<unknown> {
    const response = await fetch(`${endpoint}/v3/${call}`, { method: "POST", body: JSON.stringify(body), signal: AbortSignal.timeout(20_000) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${call}: ${text}`);
    return JSON.parse(text);
  }
}

function base64(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}
