/** What the commands that talk to a cluster have in common. */
import type { Command } from "commander";
import { checkClient, clientOptions, type ClientConfig } from "../config/client-options.ts";
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
  /** A line on standard error. */
  note(line: string): void;
}

/** Adds the options every such command has. */
export function clientCommand(command: Command): Command {
  return addOptions(command, clientOptions);
}

/** Runs `action` with a client made from the command's options, and lets go of it afterwards. */
export async function withClient(command: Command, io: Io, action: (client: Client) => Promise<void>): Promise<void> {
  const { values: config } = await compileOptions(command, clientOptions, io, checkClient);
  using operator = new OperatorClient({ masters: config.masters, timeoutMs: config.timeout });
  const form = config.output;
  await action({
    config,
    operator,
    io,
    list: async (kind, rows) => void io.stdout.write(await renderList(kind, rows, form)),
    document: async (value) => void io.stdout.write(await renderDocument(value, form)),
    note: (line) => void io.stderr.write(`${line}\n`),
  });
}
