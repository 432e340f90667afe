import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** Compiles a program of `programs` with the C compiler, for this process, and returns its path. */
export function compiled(name: string): string {
  const folder = join(tmpdir(), `cookbook-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const program = join(folder, name);
  const source = join(import.meta.dirname!, "programs", `${name}.c`);
  execFileSync("gcc", ["-O1", "-Wall", "-Wextra", "-o", program, source]);
  return program;
}

/** Runs a command line of the shell to its end; its standard output. */
export function shell(script: string): string {
  return execFileSync("sh", ["-ec", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}
