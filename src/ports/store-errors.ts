/** What the methods of a `Store` throw. Everything a master decides on is a value instead (see `registry.ts`). */

/** Base of all errors of the store: what was tried, where, and why it failed. */
export class StoreError extends Error {
  /** The operation, as in "commit" or "load". */
  readonly operation: string;
  /** The endpoint that answered, or failed to. */
  readonly endpoint: string;

  constructor(operation: string, endpoint: string, reason: string, options?: ErrorOptions) {
    super(`${operation} at ${endpoint}: ${reason}`, options);
    this.name = new.target.name;
    this.operation = operation;
    this.endpoint = endpoint;
  }
}

/** No definite answer. The outcome of a write is unknown when `inDoubt`; reads may simply be repeated. */
export class StoreUnavailable extends StoreError {
  /** False only if the request certainly never reached the store. */
  readonly inDoubt: boolean;

  constructor(operation: string, endpoint: string, reason: string, inDoubt: boolean, options?: ErrorOptions) {
    super(operation, endpoint, reason, options);
    this.inDoubt = inDoubt;
  }
}

/** The wanted revision was compacted away: start again from a new load. */
export class StoreCompacted extends StoreError {}

/** The store is out of space and took nothing. Compact, defragment, then disarm its alarm. */
export class StoreFull extends StoreError {}

/** The store calls the request malformed, or forbids it: repeating it cannot help. */
export class StoreRefused extends StoreError {
  /** True if the request itself is wrong: a bug of ours, wherever it is sent. */
  readonly malformed: boolean;

  constructor(operation: string, endpoint: string, reason: string, malformed: boolean, options?: ErrorOptions) {
    super(operation, endpoint, reason, options);
    this.malformed = malformed;
  }
}

/** The lease that candidate keys hang on has ended: grant another one. */
export class LeaseLost extends StoreError {}
