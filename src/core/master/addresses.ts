/** Parts of `host:port` addresses, as Mesos messages want them. */

/** `10.0.0.1` of `10.0.0.1:5050`, `::1` of `[::1]:5050`; the whole when there is no port. */
export function hostOf(address: string): string {
  const match = /^\[(.*)\](?::\d+)?$|^([^:]*):\d+$/.exec(address);
  return match?.[1] ?? match?.[2] ?? address;
}

/** 0 when the address names no port. */
export function portOf(address: string): number {
  return Number(/:(\d+)$/.exec(address)?.[1] ?? 0);
}

/** An IPv4 address as MasterInfo.ip has it: in network order, read as a little-endian number. 0 for anything else. */
export function networkOrderIp(host: string): number {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host);
  if (match === null) return 0;
  const [a, b, c, d] = match.slice(1).map(Number) as [number, number, number, number];
  return a + b * 2 ** 8 + c * 2 ** 16 + d * 2 ** 24;
}
