interface Writable<T> {
  write(value: T): boolean;
  on(event: "drain", callback: () => void): unknown;
}

/** Writes values of which each replaces the one before: a peer that does not read is owed only the newest (13.4). */
export function newestOnly<T>(stream: Writable<T>): (value: T) => void {
  let blocked = false;
  let waiting: { readonly value: T } | undefined;
  const send = (value: T): void => {
    if (blocked) waiting = { value };
    else blocked = !stream.write(value);
  };
  stream.on("drain", () => {
    blocked = false;
    const newest = waiting;
    waiting = undefined;
    if (newest !== undefined) send(newest.value);
  });
  return send;
}
