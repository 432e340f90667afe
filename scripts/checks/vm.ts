/**
 * Runs the tests of virtual machines in both runtimes, and in such machines: on x86-64 with two processors, KASLR and
 * modules the kernel's tests, collectors included, on arm64 with one processor the examples. Prints what holds and the time of
 * each step; exit status 1 where something does not hold.
 *
 * Its kernels are built first, by `kernelcov kernel build --source` of Debian's source, and the programs of arm64 made by
 * `kernelcov kernel rootfs`: some 30 CPU minutes, once. `KERNELCOV_VM_KERNEL` and `KERNELCOV_VM_KERNEL_ARM64` name others.
 *
 *   apt-get install -y --no-install-recommends linux-source-6.12 qemu-system-x86 qemu-system-arm kmod e2fsprogs \
 *     libelf-dev gcc-aarch64-linux-gnu
 *   npm run check:vm [-- WORD…]       only steps whose names hold these words, such as x86_64 deno hook_test
 *
 * Without KVM all of it is emulated, and takes hours. What does not end then within its limits is listed as too slow; with
 * KVM it fails.
 */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
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

const root = join(import.meta.dirname!, "../..");
const kernelcov = join(root, "src/cli/kernelcov");
/** Options of the kernel of another architecture, which is emulated on every host. */
const SMALL = join(root, "scripts/checks/vm/small.config");
/** A file of tests takes longer where it hangs, or is emulated. */
const LIMIT_SECONDS = 2400;

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

const RUNTIMES = {
  deno: ["deno", "test", "-A", "--no-check"],
  bun: ["bun", "test", "--timeout", "600000"],
} as const;

interface Step {
  readonly name: string;
  readonly arch: VmArch;
  readonly command: (kernel: string) => readonly string[];
}

function testFiles(folder: string): string[] {
  return (readdirSync(join(root, folder), { recursive: true }) as string[]).sort()
    .filter((name) => name.endsWith("_test.ts") && !EMBEDDED_ONLY.includes(name))
    .map((name) => `./${folder}/${name}`);
}

function stepsOf([runtime, test]: [string, readonly string[]]): Step[] {
  const guest = ["--timeout", String(LIMIT_SECONDS), "--"];
  return [
    ...["./tests/machines/machine_test.ts", ...testFiles("tests/machines/vm")].map((path) => ({
      name: `x86_64: ${path}, ${runtime}`,
      arch: "x86_64" as const,
      command: () => [...test, path],
    })),
    ...testFiles("tests/kernel").map((path) => ({
      name: `x86_64: ${path} in the machine, ${runtime}`,
      arch: "x86_64" as const,
      command: (kernel: string) => [
        ...[kernelcov, "kernel", "run", "--kernel", kernel, "--cpus", "2"],
        ...[...guest, ...test, path],
      ],
    })),
    ...testFiles("examples").map((path) => ({
      name: `arm64: ${path} in the machine, ${runtime}`,
      arch: "arm64" as const,
      command: (kernel: string) => [
        ...[kernelcov, "test", "--kernel", kernel, "--fresh"],
        ...["--out", join(cacheFolder(), "check_vm"), ...guest, ...test, path],
      ],
    })),
  ];
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
  if (arch !== "x86_64") printed("kernel", "rootfs", "--arch", arch);
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

type Result = "ok" | "slow" | "FAILED";

/** What came of a step: too slow where every failure is a limit that has passed, of the file or of one test. */
function resultOf({ status, stdout, stderr }: SpawnSyncReturns<string>, arch: VmArch): Result {
  const text = stdout + stderr;
  const ran = /\| [1-9]\d* passed|^ok \| [1-9]|^ *[1-9]\d* pass$/m.test(text);
  if (status === 0 && ran) return "ok";
  if (!isEmulated(arch)) return "FAILED";
  const failures = Number(
    /\| (\d+) failed|^ *(\d+) fail$/m.exec(text)?.slice(1).find(Boolean) ?? 0,
  );
  const late = [...text.matchAll(/^error: (?:Error: )?test timed out after/gm)].length;
  return status === 124 || (failures > 0 && late === failures) ? "slow" : "FAILED";
}

const words = process.argv.slice(2);
const results: Record<Result, string[]> = { ok: [], slow: [], FAILED: [] };
for (const { name, arch, command } of Object.entries(RUNTIMES).flatMap(stepsOf)) {
  if (!words.every((word) => name.includes(word))) continue;
  const kernel = kernelOf(arch);
  const started = performance.now();
  const [program, ...args] = command(kernel);
  const ended = spawnSync(program!, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", [NAMED[arch]]: kernel },
    maxBuffer: 1 << 28,
  });
  const result = resultOf(ended, arch);
  results[result].push(name);
  if (result === "FAILED") console.log(ended.stdout + ended.stderr);
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`${result.padEnd(6)} ${name} (${seconds} s)`);
}
const { ok, slow, FAILED: failed } = results;
if (slow.length > 0) {
  console.log(`Too slow emulated, so not known:\n${slow.map((name) => `  ${name}\n`).join("")}`);
}
console.log(`vm: ${ok.length} passed, ${slow.length} too slow, ${failed.length} failed`);
process.exit(failed.length === 0 && ok.length > 0 ? 0 : 1);
