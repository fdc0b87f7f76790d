#!/usr/bin/env node
import { processIo } from "./io.ts";
import { runCli } from "./program.ts";

let readerGone = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // A closed terminal: its SIGHUP is what counts.
    if (error.code === "EIO") return;
    if (error.code !== "EPIPE") throw error;
    // A reader that has seen enough (`mesarch task list | head`) is no error. What runs something ends that in order.
    if (process.listenerCount("SIGTERM") === 0) process.exit(0);
    if (!readerGone) process.emit("SIGTERM");
    readerGone = true;
  });
}

const code = await runCli(process.argv.slice(2), processIo);
process.exitCode = readerGone ? 0 : code;
