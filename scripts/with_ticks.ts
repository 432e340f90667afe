/**
 * Runs a command with its output passed on, and says that it goes on whenever it has printed nothing for 5 seconds.
 *
 * Usage: `deno run -A scripts/with_ticks.ts [--every MILLISECONDS] COMMAND…`; its exit status is the command's.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";

const args = process.argv.slice(2);
const every = args[0] === "--every" ? Number(args.splice(0, 2)[1]) : 5_000;
const [program, ...rest] = args;
if (program === undefined || !(every > 0)) {
  console.error("with_ticks: name a command, and after --every a number of milliseconds");
  process.exit(2);
}
const started = performance.now();
const child = spawn(program, rest, { stdio: ["inherit", "pipe", "pipe"] });
let last = started;
let atLineStart = true;
for (
  const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]] as const
) {
  from.on("data", (part: Uint8Array) => {
    last = performance.now();
    atLineStart = part.at(-1) === 10;
    to.write(part);
  });
}
const ticks = setInterval(() => {
  if (performance.now() - last < every) return;
  last = performance.now();
  const text = `  … ${Math.round((last - started) / 1000)} s\n`;
  process.stderr.write(atLineStart ? text : `\n${text}`);
  atLineStart = true;
}, every / 10);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
child.on("error", ({ message }) => {
  console.error(`with_ticks: ${program} cannot be started: ${message}`);
  process.exit(127);
});
child.on("close", (status, signal) => {
  clearInterval(ticks);
  process.exit(status ?? 128 + constants.signals[signal!]);
});
