import { spawn } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { runtimeName } from "../../sys/runtime.ts";

const LAUNCHER = join(import.meta.dirname!, "../kernelcov");
/** What is kept of a stream whose text may be long, from its end. */
const MOST_OUTPUT = 1 << 28;

/** How a command of kernelcov ended, and what it printed. */
export interface CommandOutput {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@linkcode runOwnCommand}. */
export interface OwnCommandOptions {
  /** Its standard input. */
  readonly input?: string | undefined;
  /** The folder that it runs in. */
  readonly cwd?: string | undefined;
  /** Ends it with SIGTERM. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each piece of what it prints on either stream. */
  readonly onOutput?: ((text: string) => void) | undefined;
}

/**
 * Runs a command of kernelcov in a process of its own, in this runtime: it may print as it likes, where standard output
 * of this process is a protocol's, and its answer is that of `--json`.
 */
export function runOwnCommand(
  args: readonly string[],
  { input = "", cwd, signal, onOutput }: OwnCommandOptions = {},
): Promise<CommandOutput> {
  const runtime = runtimeName();
  return new Promise((resolve, reject) => {
    const child = spawn(LAUNCHER, args, {
      cwd,
      signal,
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        ...process.env,
        NO_COLOR: "1",
        // On Node.js the launcher takes Deno or Bun where they are there: they can record too.
        ...(runtime === "unknown" ? {} : { KERNELCOV_RUNTIME: runtime }),
        PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`,
      },
    });
    let stdout = "", stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout = (stdout + text).slice(-MOST_OUTPUT);
      onOutput?.(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-MOST_OUTPUT);
      onOutput?.(text);
    });
    child.stdin.on("error", () => {}); // It ended before it read all.
    child.stdin.end(input);
    child.on("error", reject);
    child.on("close", (code) => resolve({ status: code ?? 1, stdout, stderr }));
  });
}
