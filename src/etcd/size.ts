import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import type { EtcdTls } from "./options.ts";

const QUOTA_METRIC = /^etcd_server_quota_backend_bytes (\S+)$/m;
const METRICS_BYTES_MAX = 4 * 1024 * 1024;
const QUOTA_AGE_MAX_MS = 60_000;

/** Reads a member's storage quota, which etcd tells only among its metrics. Asks at most once a minute. */
export class QuotaReader {
  readonly #tls: EtcdTls | undefined;
  #quotaBytes = 0;
  #readAt = -Infinity;

  constructor(tls: EtcdTls | undefined) {
    this.#tls = tls;
  }

  /** In bytes; 0 if the member does not say. */
  async read(address: string, timeoutMs: number): Promise<number> {
    if (performance.now() - this.#readAt < QUOTA_AGE_MAX_MS) return this.#quotaBytes;
    try {
      const metrics = await this.#get(`${address}/metrics`, timeoutMs);
      this.#quotaBytes = Number(QUOTA_METRIC.exec(metrics)?.[1] ?? 0);
      this.#readAt = performance.now();
    } catch {
      // Metrics may be closed off or slow; the size is worth having without the quota.
    }
    return this.#quotaBytes;
  }

  #get(url: string, timeoutMs: number): Promise<string> {
    const tls = this.#tls && { ca: Buffer.from(this.#tls.ca), cert: pem(this.#tls.certificate), key: pem(this.#tls.key) };
    const options = { ...tls, agent: false as const, signal: AbortSignal.timeout(timeoutMs) };
    return new Promise((resolve, reject) => {
      const request = (url.startsWith("https:") ? httpsGet : httpGet)(url, options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
          if (text.length > METRICS_BYTES_MAX) response.destroy(new Error(`${url} is beyond ${METRICS_BYTES_MAX} bytes`));
        });
        response.on("end", () => resolve(text));
        response.on("error", reject);
      });
      request.on("error", reject);
    });
  }
}

function pem(bytes: Uint8Array | undefined): Buffer | undefined {
  return bytes && Buffer.from(bytes);
}
