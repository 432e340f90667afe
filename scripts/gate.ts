/**
 * The gate: formatting, lint, layers, types, then the tests on Deno, on Bun, and on both inside the embedded kernel.
 * Ends with the line `N passed, N failed`; a step that ran no test counts as failed.
 *
 * With arguments, runs only the steps whose names hold one of them: `npm test -- bun`.
 */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

interface Step {
  readonly name: string;
  readonly command: string[];
  /** Reads the counts out of a test runner's output; without it the step passes or fails as one. */
  readonly count?: (output: string) => Counts;
}

interface Counts {
  passed: number;
  failed: number;
}

const root = join(import.meta.dirname!, "..");
const folders = readdirSync(join(root, "tests"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !["kernel", "_support", "data"].includes(entry.name))
  .map((entry) => `./tests/${entry.name}`).concat("./editors/vscode/tests");
const kernelcov = join(root, "src/cli/kernelcov");

// Tests inside the embedded kernel run as its root, on an overlay of this machine's files.
function inKernel(command: string[]): string[] {
  return [kernelcov, "kernel", "run", "--timeout", "1800", "--", ...command];
}

// The examples that want a kernel of their own, recorded as their readers would.
function inCookbook(command: string[]): string[] {
  const options = ["--kernel", "embedded", "--fresh", "--out", "coverage/cookbook"];
  return [kernelcov, "test", ...options, "--", ...command];
}

const STEPS: readonly Step[] = [
  { name: "format", command: ["deno", "fmt", "--check"] },
  { name: "lint", command: ["deno", "lint"] },
  { name: "layers", command: ["deno", "run", "-A", "scripts/checks/layers.ts"] },
  {
    name: "types for deno",
    command: ["deno", "check", "mod.ts", "src", "tests", "scripts", "examples", "cookbook"],
  },
  { name: "types for bun", command: ["tsc", "--project", "tsconfig.json"] },
  { name: "types for the editor", command: ["tsc", "--project", "editors/vscode/tsconfig.json"] },
  { name: "docstrings", command: ["deno", "run", "-A", "scripts/checks/docstrings.ts"] },
  // Quiet: it warns of files of @types/node that it takes for packages. What it finds are errors.
  { name: "documentation lint", command: ["deno", "doc", "--lint", "--quiet", "mod.ts"] },
  { name: "publication", command: ["deno", "publish", "--dry-run", "--allow-dirty"] },
  {
    name: "documentation",
    command: ["deno", "test", "-A", "--doc", "mod.ts", "src"],
    count: countDeno,
  },
  { name: "kernel build", command: [kernelcov, "kernel", "build"] },
  {
    name: "tests on deno",
    command: ["deno", "test", "-A", "--no-check", ...folders],
    count: countDeno,
  },
  {
    name: "tests on bun",
    command: ["bun", "test", "--timeout", "120000", ...folders],
    count: countBun,
  },
  {
    name: "kernel tests on deno",
    command: inKernel(["deno", "test", "-A", "--no-check", "tests/kernel"]),
    count: countDeno,
  },
  {
    name: "kernel tests on bun",
    command: inKernel(["bun", "test", "--timeout", "120000", "./tests/kernel"]),
    count: countBun,
  },
  {
    name: "cookbook on deno",
    command: inCookbook(["deno", "test", "-A", "--no-check", "cookbook"]),
    count: countDeno,
  },
  {
    name: "cookbook on bun",
    command: inCookbook(["bun", "test", "--timeout", "120000", "./cookbook"]),
    count: countBun,
  },
  { name: "a recorded program", command: ["sh", "cookbook/record_dbench.sh"] },
];

/** `ok | 12 passed (3 steps) | 0 failed | 1 ignored (1s)`. */
function countDeno(output: string): Counts {
  const counts = { passed: 0, failed: 0 };
  for (const [, passed, failed] of output.matchAll(/\| (\d+) passed.*? \| (\d+) failed/g)) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
  }
  return counts;
}

/** ` 12 pass` and ` 0 fail`, each on a line. */
function countBun(output: string): Counts {
  function sum(word: string): number {
    const lines = output.matchAll(new RegExp(`^\\s*(\\d+) ${word}$`, "gm"));
    return [...lines].reduce((total, [, n]) => total + Number(n), 0);
  }
  return { passed: sum("pass"), failed: sum("fail") };
}

function run(step: Step): Promise<{ status: number; output: string }> {
  const [command, ...args] = step.command;
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command!, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    child.stdout.on("data", (chunk: Uint8Array) => {
      process.stdout.write(chunk);
      output += chunk;
    });
    child.stderr.on("data", (chunk: Uint8Array) => {
      process.stderr.write(chunk);
      output += chunk;
    });
    child.on("error", (error) => resolve({ status: 1, output: String(error) }));
    child.on("close", (code) => resolve({ status: code ?? 1, output }));
  });
}

const total: Counts = { passed: 0, failed: 0 };
const summary: string[] = [];
for (const step of STEPS) {
  const only = process.argv.slice(2);
  if (only.length > 0 && !only.some((word) => step.name.includes(word))) continue;
  console.log(`\n== ${step.name}`);
  const start = performance.now();
  const { status, output } = await run(step);
  const counts = step.count?.(output) ??
    { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1 };
  // A runner that failed without a failed test (a file that does not load), or that ran nothing, has failed.
  if (counts.failed === 0 && (status !== 0 || counts.passed === 0)) counts.failed = 1;
  total.passed += counts.passed;
  total.failed += counts.failed;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  summary.push(
    `${
      counts.failed === 0 ? "ok    " : "FAILED"
    } ${step.name}: ${counts.passed} passed, ${counts.failed} failed (${seconds} s)`,
  );
}
console.log(`\n${summary.join("\n")}\n`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
