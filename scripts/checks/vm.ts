/**
 * Runs the tests of virtual machines in both runtimes, and in such machines: on x86-64 with two processors, KASLR and
 * modules the kernel's tests, collectors included, on arm64 with one processor the examples and some of these tests. Prints
 * what holds and the time of each step; exit status 1 where something does not hold.
 *
 * Its kernels are built first, by `kernelcov kernel build --source` of Debian's source, and the programs of arm64 made by
 * `kernelcov kernel rootfs`: some 30 CPU minutes, once. `KERNELCOV_VM_KERNEL` and `KERNELCOV_VM_KERNEL_ARM64` name others.
 *
 *   apt-get install -y --no-install-recommends linux-source-6.12 qemu-system-x86 qemu-system-arm kmod e2fsprogs \
 *     libelf-dev gcc-aarch64-linux-gnu
 *   npm run check:vm [-- WORD…]       only steps whose names hold these words, such as x86_64 deno 'hook|broker'
 *
 * Without KVM all of it is emulated, and takes hours. What does not end then within its limits is listed as too slow; with
 * KVM it fails.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { cacheFolder } from "../../src/build/kernel_folder.ts";
import type { VmArch } from "../../src/build/vm/vm_arch.ts";
import { chooseAccelerator } from "../../src/machines/vm/accelerator.ts";
import { findProgram } from "../../src/machines/vm/find_program.ts";
import { KERNEL_MACHINES } from "../../src/machines/vm/kernel_machines.ts";
import { KcovUnavailableError } from "../../src/errors.ts";
import { debianTree } from "./debian_tree.ts";
import { type Ended, runInside } from "./vm/run_inside.ts";

const root = join(import.meta.dirname!, "../..");
const kernelcov = join(root, "src/cli/kernelcov");
/** Options of the kernel of another architecture, which is emulated on every host. */
const SMALL = join(root, "scripts/checks/vm/small.config");
/** A file of tests takes longer where it hangs, or is emulated. */
const LIMIT_SECONDS = 2400;
/** Emulated, tests may take this many times as long. */
const PATIENCE = 5;

/**
 * Kernel tests that are of the embedded kernel: they ask for its patches, its options or its one processor, or are a user's
 * own programs for it.
 */
const EMBEDDED_ONLY = [
  "memory_cases_test.ts",
  "read_call_test.ts",
  "tracer_hidden_test.ts",
  "tracer_watch_test.ts",
  "tracer_workers_test.ts",
];

/** Tests on the host that start machines themselves. */
const HOST_TESTS: readonly [VmArch, string][] = [
  ["x86_64", "./tests/machines/machine_test.ts"],
  ["x86_64", "./tests/machines/vm/virtual_machine_test.ts"],
  ["arm64", "./tests/machines/vm/arm64_test.ts"],
];

/**
 * Kernel tests for the other architecture: of threads, and of the tracer, which reads and writes registers and has tasks
 * make calls.
 */
const ARM64_TESTS = ["./tests/kernel/hook_test.ts", "./tests/kernel/tracer_boundary_test.ts"];

const RUNTIMES = {
  deno: ["deno", "test", "-A", "--no-check"],
  bun: ["bun", "test", "--timeout", "600000"],
} as const;

interface Step {
  readonly name: string;
  readonly arch: VmArch;
  readonly command: (kernel: string) => readonly string[];
  /** Whether the command is one for within a machine. */
  readonly inside: boolean;
}

function testFiles(folder: string): string[] {
  return (readdirSync(join(root, folder), { recursive: true }) as string[]).sort()
    .filter((name) => name.endsWith("_test.ts") && !EMBEDDED_ONLY.includes(name))
    .map((name) => `./${folder}/${name}`);
}

function stepsOf([runtime, test]: [string, readonly string[]]): Step[] {
  return [
    ...HOST_TESTS.map(([arch, path]) => ({
      name: `${arch}: ${path}, ${runtime}`,
      arch,
      command: () => [...test, path],
      inside: false,
    })),
    ...testFiles("tests/kernel").map((path) => ({
      name: `x86_64: ${path} in the machine, ${runtime}`,
      arch: "x86_64" as const,
      command: () => [...test, path],
      inside: true,
    })),
    ...ARM64_TESTS.map((path) => ({
      name: `arm64: ${path} in the machine, ${runtime}`,
      arch: "arm64" as const,
      command: () => ["env", "KERNELCOV_TEST_RECORDER=ptrace", ...test, path],
      inside: true,
    })),
    {
      name: `arm64: the examples, recorded, ${runtime}`,
      arch: "arm64",
      command: (kernel: string) => [
        ...[kernelcov, "test", "--kernel", kernel, "--fresh", "--out", out("examples")],
        ...["--timeout", String(LIMIT_SECONDS), "--", ...test, ...testFiles("examples")],
      ],
      inside: false,
    },
  ];
}

function out(name: string): string {
  return join(cacheFolder(), "check_vm", name);
}

const NAMED = { x86_64: "KERNELCOV_VM_KERNEL", arm64: "KERNELCOV_VM_KERNEL_ARM64" } as const;
const kernels = new Map<VmArch, string>();

/** The kernel of an architecture; built, or brought up to date, the first time. */
function kernelOf(arch: VmArch): string {
  const known = kernels.get(arch) ?? process.env[NAMED[arch]];
  if (known !== undefined) return known;
  const tree = debianTree("6.12", join(cacheFolder(), "check_vm_source"));
  const config = arch === "x86_64" ? [] : ["--config", SMALL];
  const built = printed("kernel", "build", "--source", tree, "--arch", arch, ...config);
  if (arch !== "x86_64") printed("kernel", "rootfs", "--arch", arch, "--package", "busybox-static");
  kernels.set(arch, built);
  return built;
}

function printed(...args: string[]): string {
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const { status, stdout } = spawnSync(kernelcov, args, { stdio: [...stdio], encoding: "utf8" });
  if (status === 0) return stdout.trim();
  throw new KcovUnavailableError("not-built-in", `kernelcov ${args.join(" ")} failed: see above`);
}

/** Whether machines of an architecture are emulated here. */
function isEmulated(arch: VmArch): boolean {
  const machine = KERNEL_MACHINES[arch];
  const qemu = findProgram(machine.qemu);
  return qemu === undefined || chooseAccelerator(machine, qemu, cacheFolder()).name === "tcg";
}

type Result = "ok" | "skipped" | "slow" | "FAILED";

/**
 * What came of a step: skipped where its tests want what is not there, too slow where every failure is a limit that has
 * passed, of the file or of one test.
 */
function resultOf({ status, output: text }: Omit<Ended, "seconds">, arch: VmArch): Result {
  if (status === 0 && /^ok \| [1-9]|^ *[1-9]\d* pass$/m.test(text)) return "ok";
  if (status === 0 && /\| [1-9]\d* ignored|^ *[1-9]\d* skip$/m.test(text)) return "skipped";
  if (!isEmulated(arch)) return "FAILED";
  const failures = Number(
    /\| (\d+) failed|^ *(\d+) fail$/m.exec(text)?.slice(1).find(Boolean) ?? 0,
  );
  const late =
    [...text.matchAll(/^(?:error: (?:Error: )?test| *\^ this test) timed out after/gm)].length;
  return status === 124 || (failures > 0 && late === failures) ? "slow" : "FAILED";
}

const words = process.argv.slice(2).map((word) => new RegExp(word));
const results: Record<Result, string[]> = { ok: [], skipped: [], slow: [], FAILED: [] };

function tell({ name, arch }: Step, ended: Ended): void {
  const result = resultOf(ended, arch);
  results[result].push(name);
  if (result === "FAILED") console.log(ended.output);
  console.log(`${result.padEnd(7)} ${name} (${ended.seconds} s)`);
}

function runOnHost(step: Step): void {
  const kernel = kernelOf(step.arch);
  const started = performance.now();
  const [program, ...args] = step.command(kernel);
  const { status, stdout, stderr } = spawnSync(program!, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", [NAMED[step.arch]]: kernel },
    maxBuffer: 1 << 28,
  });
  const seconds = Math.round((performance.now() - started) / 1000);
  tell(step, { status: status ?? 1, output: stdout + stderr, seconds });
}

async function runInMachine(arch: VmArch, steps: readonly Step[]): Promise<void> {
  if (steps.length === 0) return;
  const kernel = kernelOf(arch);
  const patience = isEmulated(arch) ? [`KERNELCOV_TEST_PATIENCE=${PATIENCE}`] : [];
  const cpus = arch === "x86_64" ? "2" : "1";
  await runInside(
    [kernelcov, "kernel", "run", "--kernel", kernel, "--cpus", cpus],
    steps.map(({ command }) => ["env", "NO_COLOR=1", ...patience, ...command(kernel)]),
    { folder: out("tests"), limitSeconds: LIMIT_SECONDS },
    (index, ended) => tell(steps[index]!, ended),
  );
}

process.chdir(root);
for (const runtime of Object.entries(RUNTIMES)) {
  const steps = stepsOf(runtime).filter(({ name }) => words.every((word) => word.test(name)));
  for (const step of steps.filter(({ inside }) => !inside)) runOnHost(step);
  for (const arch of ["x86_64", "arm64"] as const) {
    await runInMachine(arch, steps.filter((step) => step.inside && step.arch === arch));
  }
}
const { ok, skipped, slow, FAILED: failed } = results;
const list = (names: readonly string[]) => names.map((name) => `  ${name}\n`).join("");
if (skipped.length > 0) {
  console.log(`Skipped, as these want what the machine or the host lacks:\n${list(skipped)}`);
}
if (slow.length > 0) console.log(`Too slow emulated, so not known:\n${list(slow)}`);
console.log(
  `vm: ${ok.length} passed, ${skipped.length} skipped, ${slow.length} too slow, ${failed.length} failed`,
);
process.exit(failed.length === 0 && ok.length > 0 ? 0 : 1);
