/** From configuration to access to etcd: reads the TLS files. */
import { readFile } from "node:fs/promises";
import type { EtcdConfig } from "../config/etcd-options.ts";
import { UsageError } from "../config/usage-error.ts";
import type { EtcdOptions, EtcdTls } from "../etcd/options.ts";

export async function etcdAccess(config: EtcdConfig): Promise<EtcdOptions> {
  const tls = await etcdTls(config);
  return { endpoints: config.etcdEndpoints, prefix: config.etcdPrefix, ...(tls === undefined ? {} : { tls }) };
}

async function etcdTls(config: EtcdConfig): Promise<EtcdTls | undefined> {
  const { etcdCa, etcdCert, etcdKey } = config;
  if (etcdCa === undefined) return undefined;
  const ca = await pem("etcd-ca", etcdCa);
  if (etcdCert === undefined || etcdKey === undefined) return { ca };
  return { ca, certificate: await pem("etcd-cert", etcdCert), key: await pem("etcd-key", etcdKey) };
}

async function pem(option: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageError(`${option}: ${path} cannot be read`, { cause: error });
  }
}
