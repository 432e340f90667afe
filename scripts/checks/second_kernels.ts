/**
 * Builds a kernel that some tests need beside the embedded one, where it is not there, and runs these tests in both
 * runtimes. The gate skips them where that kernel was never built. A build takes as long as the embedded kernel's.
 *
 *   npm run check:faults     failing allocations
 *   npm run check:remote     workers of the kernel that record for a handle
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";

const root = join(import.meta.dirname!, "../..");
const kernelcov = join(root, "src/cli/kernelcov");

/** The tests of a kernel, and what runs them. */
const KERNELS: Readonly<Record<string, { tests: string; within: readonly string[] }>> = {
  faults: { tests: "./tests/cli/failing_allocations_test.ts", within: [] },
  remote: {
    tests: "./tests/kernel/remote",
    within: [kernelcov, "kernel", "run", "--kernel", "remote", "--"],
  },
};

const [name = ""] = process.argv.slice(2);
const kernel = KERNELS[name];
if (kernel === undefined) {
  console.error(`There is no kernel "${name}": use ${Object.keys(KERNELS).join(" or ")}`);
  process.exit(2);
}
const { tests, within } = kernel;
for (
  const [program, ...args] of [
    [kernelcov, "kernel", "build", `--${name}`],
    [...within, "deno", "test", "-A", "--no-check", tests],
    [...within, "bun", "test", "--timeout", "120000", tests],
  ]
) {
  const { status } = spawnSync(program!, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
