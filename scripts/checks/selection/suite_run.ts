import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const FOLDERS = ["examples", "scripts/checks/selection/suite"];
/** A file takes a second or two; a mutant can make a test wait for ever. */
const FILE_LIMIT = "90";
const KERNEL_LIMIT = "900";
const DENO = ["deno", "test", "-A", "--no-check"];

/** What a run of the suite tells of its tests, which are named `FILE: NAME`. */
export interface SuiteRun {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  /** Files whose tests began. */
  readonly begun: readonly string[];
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
 * Runs the suite on a kernel without recording it, each file in a process of its own: one that ends with a signal, or waits
 * for ever, costs its own tests only.
 */
export function runSuite(linux: string): SuiteRun {
  return runTests(linux, suiteFiles().map((file) => [file, "/^/"]));
}

/** Runs some tests, each in a process of its own. */
export function runAlone(linux: string, tests: readonly string[]): SuiteRun {
  return runTests(
    linux,
    tests.map((test) => {
      const colon = test.indexOf(": ");
      return [test.slice(0, colon), `/^${escaped(test.slice(colon + 2))}$/`];
    }),
  );
}

function runTests(linux: string, filters: readonly (readonly [string, string])[]): SuiteRun {
  const command = `timeout -s KILL ${FILE_LIMIT} ${DENO.join(" ")} --reporter=tap`;
  const { stdout } = kernelcov([
    ...["kernel", "run", "--kernel", linux, "--timeout", KERNEL_LIMIT, "--", "sh", "-c"],
    `while [ $# -gt 0 ]; do ${command} --filter "$2" "$1"; shift 2; done`,
    ...["sh", ...filters.flat()],
  ]);
  return parseTap(stdout);
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
  return { passed, failed, begun: [...begun] };
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
