/** Checks of what options name: addresses, URLs, names. Each says what is wrong, or nothing. */

export function checkName(name: string): string | undefined {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(name)) return undefined;
  return `"${name}" is not a name: letters, digits, "-" and "_", at most 63`;
}

/** `host:port` or `host`. */
export function checkAddress(address: string): string | undefined {
  const [whole, port] = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?$/.exec(address) ?? [];
  if (whole === undefined || Number(port ?? 0) > 65_535) return `"${address}" is not of the form host:port`;
  return undefined;
}

export function checkHttpUrl(url: string): string | undefined {
  if (/^https?:\/\/[^\s/]+$/.test(url)) return undefined;
  return `"${url}" is not of the form http://host:port or https://host:port`;
}
