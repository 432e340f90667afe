/**
 * Builds the kernel of failing allocations, where it is not there, and runs the tests that need it in both runtimes. The gate
 * skips them where that kernel was never built. The build takes as long as the embedded kernel's.
 *
 * Usage: `npm run check:faults`
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";

const root = join(import.meta.dirname!, "../..");
const TESTS = "./tests/cli/failing_allocations_test.ts";

for (
  const [program, ...args] of [
    [join(root, "src/cli/kernelcov"), "kernel", "build", "--faults"],
    ["deno", "test", "-A", "--no-check", TESTS],
    ["bun", "test", "--timeout", "120000", TESTS],
  ]
) {
  const { status } = spawnSync(program!, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
