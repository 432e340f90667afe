/**
 * Tries `--source` on Debian's sources as a new user would: runs an example's tests on each with one command and a clean
 * cache, on Bun and on Deno, and looks at the reports: that the lines are those of the tree's files, patched ones too, for
 * each test. Then the same with `--no-patch` and with `--llvm`, on 6.12. Prints what holds; exit status 1 where something
 * does not.
 *
 *   apt-get install -y --no-install-recommends linux-source-6.1 clang lld llvm
 *   npm run check:kernels [-- 6.1 6.12 6.12=--no-patch 6.12=--llvm]
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { DEBIAN_SERIES, debianTree } from "./debian_tree.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COMMANDS: readonly (readonly string[])[] = [
  ["bun", "test", "./examples/pipes_test.ts"],
  ["deno", "test", "-A", "--no-check", "examples/pipes_test.ts"],
];

/** Versions, and what they are built with. */
const BUILDS = [...DEBIAN_SERIES, "6.12=--no-patch", "6.12=--llvm"];

const builds = process.argv.length > 2 ? process.argv.slice(2) : BUILDS;
// Not a folder in memory: a build has more than a gigabyte.
const folder = mkdtempSync(join(process.env["TMPDIR"] ?? tmpdir(), "kernelcov-kernels-"));
try {
  for (const build of builds) check(build);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function check(build: string): void {
  const [version, ...options] = build.split("=");
  const tree = debianTree(version);
  for (const command of COMMANDS) {
    const out = join(folder, `out-${build}-${command[0]}`);
    const started = performance.now();
    const run = kernelcov("test", "--source", tree, ...options, "--out", out, "--", ...command);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    const problems = run.status === 0 ? problemsOf(tree, out) : [`exit status ${run.status}`];
    const title = `Linux ${[version, ...options].join(" ")}, ${command[0]}`;
    if (problems.length === 0) {
      console.log(`ok     ${title}: ${seconds} s, ${summary(out)}`);
      continue;
    }
    process.exitCode = 1;
    console.log(`FAILED ${title}: ${problems.join("; ")}\n${run.stdout}${run.stderr}`);
  }
}

function kernelcov(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache"), KERNELCOV_VMLINUX: "" };
  return spawnSync(join(ROOT, "src/cli/kernelcov"), args, { cwd: ROOT, encoding: "utf8", env });
}

/** What is wrong with the reports. */
function problemsOf(tree: string, out: string): string[] {
  const lcov = readFileSync(join(out, "lcov.info"), "utf8");
  const files = [...lcov.matchAll(/^SF:(.*)$/gm)].map(([, file]) => file);
  const problems: string[] = [];
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0) {
    problems.push(`${missing.length} files are not there, such as ${missing[0]}`);
  }
  // A patched file too. Whether tests of pipes start a thread, and so run that one, is the runtime's affair.
  for (const [file, name] of [["fs/pipe.c", "pipe_write"], ["kernel/fork.c", "copy_process"]]) {
    const path = join(tree, file);
    const section = lcov.split("end_of_record").find((part) => part.includes(`SF:${path}\n`));
    const line = Number(new RegExp(`^FN:(\\d+),(?:\\d+,)?${name}$`, "m").exec(section ?? "")?.[1]);
    // A declaration can begin on the line before the name.
    const text = readFileSync(path, "utf8").split("\n").slice(line - 2, line + 1).join("\n");
    if (!text.includes(name)) problems.push(`${name} is not at ${path}:${line}`);
    if (file === "fs/pipe.c" && !/^DA:\d+,[1-9]/m.test(section ?? "")) {
      problems.push(`no line of ${path} ran`);
    }
  }
  const tests = readFileSync(join(out, "tests.info"), "utf8");
  if (new Set(tests.match(/^TN:.*$/gm)).size < 4) problems.push("tests.info lacks tests");
  return problems;
}

function summary(out: string): string {
  const lcov = readFileSync(join(out, "lcov.info"), "utf8");
  const hit = lcov.match(/^DA:\d+,[1-9]/gm)?.length ?? 0;
  return `${hit} lines of ${lcov.match(/^DA:/gm)?.length} ran`;
}
