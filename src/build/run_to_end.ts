import { spawn, type SpawnOptions } from "node:child_process";

/**
 * Runs a program without input.
 *
 * @returns its exit status, `null` where a signal ended it, and all that it printed
 */
export function runToEnd(
  program: string,
  args: readonly string[],
  options: Pick<SpawnOptions, "cwd" | "env">,
): Promise<{ status: number | null; output: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<
    { status: number | null; output: string }
  >();
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (bytes) => output += bytes);
  child.stderr.on("data", (bytes) => output += bytes);
  child.on("error", reject);
  child.on("close", (status) => resolve({ status, output }));
  return promise;
}
