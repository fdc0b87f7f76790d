#!/usr/bin/env node
import { processIo } from "./io.ts";
import { runCli } from "./program.ts";

// A reader that has seen enough (`mesarch task list | head`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}

process.exitCode = await runCli(process.argv.slice(2), processIo);
