/** How etcd is reached: for masters, and for what works on the registry of a stopped cluster. */
import { checkHttpUrl } from "./addresses.ts";
import { list, text, type Values } from "./declare.ts";

const group = "Store (etcd)";

export const etcdOptions = {
  etcdEndpoints: list({
    doc: "Client URLs of every etcd member",
    default: ["http://127.0.0.1:2379"],
    check: checkHttpUrl,
    placeholder: "urls",
    group,
  }),
  etcdPrefix: text({
    doc: "Where all keys lie; two clusters on one etcd need two prefixes",
    default: "mesarch/",
    check: (prefix) => (/^[^\s]+\/$/.test(prefix) ? undefined : `"${prefix}" must end with "/"`),
    group,
  }),
  etcdCa: text({ doc: "PEM file with the authority of etcd's certificates", placeholder: "path", group }),
  etcdCert: text({ doc: "PEM file with this client's certificate for etcd", placeholder: "path", group }),
  etcdKey: text({ doc: "PEM file with the key of that certificate", placeholder: "path", group }),
};

export type EtcdConfig = Values<typeof etcdOptions>;

/** What contradicts in it. */
export function checkEtcd(config: EtcdConfig): string[] {
  const problems: string[] = [];
  const secure = config.etcdEndpoints.filter((url) => url.startsWith("https:")).length;
  if (config.etcdEndpoints.length === 0) problems.push("etcd-endpoints: at least one is needed");
  if (secure !== 0 && secure !== config.etcdEndpoints.length) problems.push("etcd-endpoints: http and https cannot be mixed");
  if ((config.etcdCert === undefined) !== (config.etcdKey === undefined)) problems.push("etcd-cert and etcd-key go together");
  if (config.etcdCa !== undefined && secure === 0) problems.push("etcd-ca is given, but etcd-endpoints are not https");
  if (config.etcdCert !== undefined && config.etcdCa === undefined) problems.push("etcd-cert needs etcd-ca");
  return problems;
}
