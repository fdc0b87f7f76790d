#!/usr/bin/env node
import { processIo } from "./io.ts";
import { runCli } from "./program.ts";

// A reader that has seen enough (`mesarch task list | head`) is no error, nor is a terminal that was closed.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" || error.code === "EIO") process.exit(0);
    throw error;
  });
}

process.exitCode = await runCli(process.argv.slice(2), processIo);
