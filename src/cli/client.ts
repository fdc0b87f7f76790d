/** What the commands that talk to a cluster have in common. */
import type { Command } from "commander";
import { answerOptions, checkClient, clientOptions, type ClientConfig } from "../config/client-options.ts";
import { UsageError } from "../config/usage-error.ts";
import { OperatorClient } from "../sdk/operator.ts";
import type { Io } from "./io.ts";
import { addOptions, compileOptions } from "./options.ts";
import { renderDocument, renderList, type Kind } from "./render.ts";

export interface Client {
  readonly config: ClientConfig;
  readonly operator: OperatorClient;
  readonly io: Io;
  /** A list on standard output, in the wanted form. */
  list<T extends object>(kind: Kind<T>, rows: readonly T[]): Promise<void>;
  /** A single thing on standard output. */
  document(value: object): Promise<void>;
  /** What came of an order: for people on standard error, for programs a document. */
  done(order: string, id: string, message: string): Promise<void>;
  /** A line on standard error. */
  note(line: string): void;
}

/** Adds the options such a command has: these, or those of `clientOptions` that it heeds. */
export function clientCommand(command: Command, heeded: Partial<typeof clientOptions> = answerOptions): Command {
  return addOptions(command, heeded);
}

/** Runs `action` with a client made from the command's options, and lets go of it afterwards. */
export async function withClient(command: Command, io: Io, action: (client: Client) => Promise<void>): Promise<void> {
  const { values: config } = await compileOptions(command, clientOptions, io, checkClient);
  using operator = new OperatorClient({ masters: config.masters, timeoutMs: config.timeout });
  const form = config.output;
  const note = (line: string): void => void io.stderr.write(`${line}\n`);
  await action({
    config,
    operator,
    io,
    list: async (kind, rows) => void io.stdout.write(await renderList(kind, rows, form)),
    document: async (value) => void io.stdout.write(await renderDocument(value, form)),
    done: async (order, id, message) => {
      if (form === "json" || form === "yaml") io.stdout.write(await renderDocument({ kind: "Done", order, id, message }, form));
      else note(message);
    },
    note,
  });
}

/** Of `--limit`; 0, which leaves it to the master, when it was not given. */
export function parseLimit(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`--limit ${text} is not a count`);
  return Number(text);
}
