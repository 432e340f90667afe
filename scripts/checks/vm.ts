/**
 * Runs the tests of virtual machines, and the kernel's tests in one, in both runtimes: `npm run check:vm`. Needs QEMU, kmod and
 * e2fsprogs, and a kernel that `KERNELCOV_VM_KERNEL` names: of x86-64, with what `kernelcov kernel config --vm` prints, two
 * processors and ext4 as a module, its vmlinux and modules beside it. `npm run check:vm -- deno hook_test` runs only steps
 * whose names hold these words. Emulated machines take an hour for all; the time of each step is printed.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const root = join(import.meta.dirname!, "../..");
const kernel = process.env["KERNELCOV_VM_KERNEL"];
if (kernel === undefined) {
  console.error("vm: name a kernel with KERNELCOV_VM_KERNEL: its bzImage or its folder");
  process.exit(2);
}

/**
 * Kernel tests that are of the embedded kernel: they ask for its patches, its options or its one processor, or are a user's
 * own programs for it.
 */
const EMBEDDED_ONLY = new Set([
  "memory_cases_test.ts",
  "read_call_test.ts",
  "tracer_hidden_test.ts",
  "tracer_watch_test.ts",
  "tracer_workers_test.ts",
]);

const RUNTIMES = {
  deno: ["deno", "test", "-A", "--no-check"],
  bun: ["bun", "test", "--timeout", "600000"],
} as const;

interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

function steps(): Step[] {
  const files = readdirSync(join(root, "tests/kernel"), { withFileTypes: true })
    .filter(({ name }) => /_test\.ts$|^broker$/.test(name) && !EMBEDDED_ONLY.has(name))
    .map(({ name }) => `./tests/kernel/${name}`);
  const vm = [join(root, "src/cli/kernelcov"), "kernel", "run", "--kernel", kernel!, "--cpus", "2"];
  return Object.entries(RUNTIMES).flatMap(([runtime, test]) => [
    ...["./tests/machines/machine_test.ts", "./tests/machines/vm"].map((path) => ({
      name: `${path} on ${runtime}`,
      command: [...test, path],
    })),
    ...files.map((path) => ({
      name: `${path} in the machine, on ${runtime}`,
      command: [...vm, "--timeout", "3000", "--", ...test, path],
    })),
  ]);
}

const words = process.argv.slice(2);
let failed = 0;
for (const { name, command } of steps()) {
  if (!words.every((word) => name.includes(word))) continue;
  const start = performance.now();
  const [program, ...args] = command;
  const { status, stdout, stderr } = spawnSync(program!, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", KERNELCOV_VM_KERNEL: kernel },
    maxBuffer: 1 << 28,
  });
  const text = stdout + stderr;
  const ran = /\| [1-9]\d* passed|^ok \| [1-9]|^ *[1-9]\d* pass$/m.test(text);
  const passed = status === 0 && ran;
  if (!passed) {
    failed++;
    console.log(text);
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`${passed ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
}
console.log(failed === 0 ? "vm: ok" : `vm: ${failed} steps failed`);
process.exit(failed === 0 ? 0 : 1);
