import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KcovUnavailableError } from "../../../src/errors.ts";
import type { KernelFolder } from "../../../src/build/kernel_folder.ts";

const FOLDER = fileURLToPath(new URL("workloads/", import.meta.url));

/**
 * Compiles a workload, all sources of its folder, with its runner.
 *
 * @throws {TypeError} it does not compile
 */
export function compileWorkload(name: string, program: string): void {
  const parts = readdirSync(join(FOLDER, name)).filter((file) => file.endsWith(".c")).sort();
  const sources = ["runner.c", ...parts.map((part) => join(name, part))].map((source) =>
    join(FOLDER, source)
  );
  const gcc = spawnSync("gcc", ["-O1", "-static", "-o", program, ...sources], { encoding: "utf8" });
  if (gcc.status !== 0) throw new TypeError(`The workload does not compile:\n${gcc.stderr}`);
}

/**
 * Boots a kernel with the workload as its only process, which leaves its results in `results`.
 *
 * @param words What the program is told: `kcov`, `collect`, or `gcov` and a list of files.
 * @throws {KcovUnavailableError} The workload failed; the message says where.
 */
export function runWorkload(
  kernel: KernelFolder,
  program: string,
  results: string,
  ...[kind, ...rest]: [kind: "kcov" | "collect"] | [kind: "gcov", list: string]
): void {
  mkdirSync(results, { recursive: true });
  const root = ["root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw"];
  const run = spawnSync(
    kernel.linux,
    ["mem=768M", ...root, "con=null", "quiet", `init=${program}`, "--", kind, results, ...rest],
    { encoding: "utf8", timeout: 300_000, stdio: ["ignore", "pipe", "pipe"] },
  );
  if (existsSync(join(results, "done"))) return;
  const error = join(results, "error");
  const reason = existsSync(error)
    ? readFileSync(error, "utf8")
    : `${run.stdout}${run.stderr}`.trim();
  throw new KcovUnavailableError(
    "not-built-in",
    `The workload failed in ${kernel.linux}: check ${reason}`,
  );
}
