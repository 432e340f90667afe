import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type * as vscode from "vscode";
import { RunReport } from "./run_report.ts";
import type { Settings } from "./settings.ts";

/**
 * Runs kernelcov to its end.
 *
 * @param onOutput called with each piece of what it prints
 * @returns its exit status; `null` where it was ended
 * @throws {TypeError} It cannot be started.
 */
export function runKernelcov(
  { command: [program, ...first], testFolder }: Settings,
  args: readonly string[],
  onOutput: (text: string) => void,
  token?: vscode.CancellationToken,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...first, ...args], {
      cwd: testFolder,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    const cancelled = token?.onCancellationRequested(() => child.kill("SIGTERM"));
    child.stdout.setEncoding("utf8").on("data", onOutput);
    child.stderr.setEncoding("utf8").on("data", onOutput);
    child.on("error", ({ message }) => {
      cancelled?.dispose();
      reject(new TypeError(`${program} cannot be started (${message}): set kernelcov.command`));
    });
    child.on("close", (status) => {
      cancelled?.dispose();
      resolve(status);
    });
  });
}

/**
 * The coverage of a run, from kernelcov's JSON report; the run's own folder stays as it is.
 *
 * @throws {TypeError} kernelcov's own message, where the run cannot be read.
 */
export async function loadReport(settings: Settings, run = settings.run): Promise<RunReport> {
  const folder = await mkdtemp(join(tmpdir(), "kernelcov-vscode-"));
  try {
    const json = join(folder, "report.json");
    const prefix = settings.sourceTree === undefined
      ? []
      : [`--source-prefix=${settings.sourceTree}`];
    let output = "";
    const args = ["report", run, `--out=${folder}`, `--json=${json}`, ...prefix];
    const status = await runKernelcov(settings, args, (text) => output += text);
    if (status !== 0) throw new TypeError(output.trim().split("\n").at(-1) ?? "kernelcov failed");
    return new RunReport(JSON.parse(await readFile(json, "utf8")));
  } finally {
    await rm(folder, { recursive: true });
  }
}
