/** Every bound of the system in one place, each with its reason (D13, rule 13.4). Sizes in bytes, times in ms. */
export const limits = Object.freeze({
  /** etcd takes 128 operations in a transaction; one is the head row. */
  batchRows: 127,
  /** etcd refuses requests above 1.5 MiB; leave room for the envelope. */
  batchBytes: 1024 * 1024,
  /** One TaskInfo, so that a row always fits a batch. */
  taskInfoBytes: 1024 * 1024 - 64 * 1024,
  /** A FrameworkInfo or AgentInfo. */
  infoBytes: 256 * 1024,
  /** Inputs waiting for a machine; of a master, calls and agents' words each. Beyond it callers get 503. */
  mailboxInputs: 10_000,
  /** Bytes waiting for one peer; beyond it the peer has `streamPatienceMs` to take some, or the stream is closed. */
  streamQueueBytes: 8 * 1024 * 1024,
  streamPatienceMs: 10_000,
  /** Bytes waiting for one peer beyond which its stream is closed at once. */
  streamQueueMaxBytes: 256 * 1024 * 1024,
  /** Calls a standby holds until a leader appears (10.6). */
  heldCalls: 1_000,
  heldCallsBytes: 16 * 1024 * 1024,
  heldCallMs: 2_000,
  /** One gRPC message in either direction: room for an ACCEPT with many large tasks. */
  messageBytes: 16 * 1024 * 1024,
  /** The list in an operator's answer: below `messageBytes` by more than its last row and the rest of the answer. */
  answerBytes: 12 * 1024 * 1024,
  /** Calls, or an agent's words, in one gRPC message. */
  messageItems: 4_096,
  /** Tags, lengths and numbers in one call: more than most ACCEPTs of `acceptItems` tasks have. */
  callWords: 512 * 1024,
  /** The same in one gRPC message: a bound on the time to decode it, about 100 ms. Room for any task that was a call's. */
  messageWords: 1024 * 1024,
  /** Operations of one ACCEPT and the tasks in them: each is answered by itself. */
  acceptItems: 10_000,
  /** An agent's list of what it holds, with all that is needed to adopt it (9.3), in parts. */
  reportBytes: 256 * 1024 * 1024,
  /** Tasks in one part of such a list; of those with their TaskInfo and FrameworkInfo one fits `messageWords` for sure. */
  heldPerPart: 1_000,
  heldInfosPerPart: 1,
  liveTasksPerFramework: 100_000,
  /** Rings: a slot is overwritten, so the registry does not grow with what is finished. */
  historyPerFramework: 1_000,
  leaderHistory: 1_000,
  /** Rows of removed frameworks of foreign id form, and of gone agents. */
  tombstones: 100_000,
  /** Agents told `lead` and not yet confirmed (5.3). */
  unconfirmedAgents: 500,
  /** Outstanding offers of one framework. */
  offersPerFramework: 10_000,
  /** Subscribers of the operator's event stream. */
  operatorStreams: 1_000,
});
