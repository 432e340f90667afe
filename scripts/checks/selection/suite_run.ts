import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const FOLDERS = ["examples", "scripts/checks/selection/suite"];
const DENO = ["deno", "test", "-A", "--no-check"];

/** A kernel, and how long the runner may take on it: a mutant can make a test wait for ever. */
export interface SuiteKernel {
  readonly linux: string;
  readonly limitSeconds: number;
}

/** What a run of the suite tells of its tests, which are named `FILE: NAME`. */
export interface SuiteRun {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  /** Files whose tests began. */
  readonly begun: readonly string[];
  /** Tests that do not end, also when they run alone. */
  readonly cut: readonly string[];
}

/** The files of the suite, from the checkout's root. */
export function suiteFiles(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder)).filter((name) => name.endsWith("_test.ts")).sort()
      .map((name) => `${folder}/${name}`)
  );
}

/**
 * Records the suite on a kernel.
 *
 * @throws {TypeError} It fails.
 */
export function recordSuite(linux: string, vmlinux: string, out: string): void {
  const recorded = kernelcov([
    ...["test", "--kernel", linux, "--vmlinux", vmlinux, "--out", out],
    ...["--", ...DENO, ...suiteFiles()],
  ]);
  if (recorded.status !== 0) {
    throw new TypeError(`The suite fails without a mutant:\n${recorded.stdout}${recorded.stderr}`);
  }
}

/**
 * Runs the suite on a kernel without recording it. Where tests do not end, their files run once more, each in a process of its
 * own: one that ends with a signal, or waits for ever, costs its own tests only. Of those that do not end then each test
 * runs alone: the runner prints what became of a file's tests when all have ended.
 *
 * @param tests those that end without a mutant; none where that is not known yet
 */
export function runSuite(kernel: SuiteKernel, tests: readonly string[] = []): SuiteRun {
  const together = runTests(kernel, [suiteFiles()]);
  const open = new Set(unended(tests, together).map(fileOf));
  // Where the kernel does not start, or no program, each file would only be waited for.
  if (open.size === 0 || together.begun.length === 0) return together;
  const closed = (test: string): boolean => !open.has(fileOf(test));
  const rest = {
    ...together,
    passed: together.passed.filter(closed),
    failed: together.failed.filter(closed),
  };
  const byFile = joined(rest, runTests(kernel, [...open].map((file) => [file])));
  const single = unended(tests, byFile);
  return single.length === 0 ? byFile : joined(byFile, runAlone(kernel, single));
}

/** Those of some tests that neither passed nor failed. */
function unended(tests: readonly string[], { passed, failed }: SuiteRun): string[] {
  const ended = new Set([...passed, ...failed]);
  return tests.filter((test) => !ended.has(test));
}

function joined(one: SuiteRun, other: SuiteRun): SuiteRun {
  return {
    passed: [...one.passed, ...other.passed],
    failed: [...one.failed, ...other.failed],
    begun: [...new Set([...one.begun, ...other.begun])],
    cut: [...one.cut, ...other.cut],
  };
}

/** The file of a test's name. */
export function fileOf(test: string): string {
  return test.slice(0, test.indexOf(": "));
}

/** Runs some tests, each in a process of its own. Those behind one that ends the kernel do not run. */
export function runAlone({ linux, limitSeconds }: SuiteKernel, tests: readonly string[]): SuiteRun {
  const run = runTests(
    { linux, limitSeconds: Math.ceil(limitSeconds / 3) },
    tests.map((test) => {
      const file = fileOf(test);
      return ["--filter", `/^${escaped(test.slice(file.length + 2))}$/`, file];
    }),
  );
  return { ...run, cut: unended(tests.slice(0, run.runs), run) };
}

/** What is printed before each run of the runner. */
const RUN = "kernelcov-run";

/**
 * Runs the runner once for each list of arguments, whatever becomes of it.
 *
 * @returns also how many of them began
 */
function runTests(
  { linux, limitSeconds }: SuiteKernel,
  runs: readonly (readonly string[])[],
): SuiteRun & { readonly runs: number } {
  const script = runs.map((args) =>
    `echo ${RUN}; timeout -s KILL ${limitSeconds} ` +
    [...DENO, "--reporter=tap", ...args].map(quoted).join(" ")
  ).join("\n");
  const whole = String(limitSeconds * (runs.length + 1));
  const { stdout } = kernelcov([
    ...["kernel", "run", "--kernel", linux, "--timeout", whole, "--", "sh", "-c", script],
  ]);
  return { ...parseTap(stdout), runs: stdout.split("\n").filter((line) => line === RUN).length };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Reads what `deno test --reporter=tap` printed, as far as it came. */
export function parseTap(text: string): SuiteRun {
  const passed: string[] = [], failed: string[] = [], begun = new Set<string>();
  let file = "";
  for (const line of text.split("\n")) {
    const heading = /^# (?:\.\/)?(.*)$/.exec(line);
    if (heading !== null) begun.add(file = heading[1]);
    const result = /^(not )?ok \d+ - (.*)$/.exec(line);
    if (result === null || / # (?:SKIP|TODO)\b/i.test(line)) continue;
    const [, not, name] = result;
    (not === undefined ? passed : failed).push(`${file}: ${name.replace(/\\([\\#])/g, "$1")}`);
  }
  return { passed, failed, begun: [...begun], cut: [] };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function kernelcov(
  args: readonly string[],
): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, KERNELCOV_VMLINUX: "" };
  const program = join(ROOT, "src/cli/kernelcov");
  return spawnSync(program, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 28, env });
}
