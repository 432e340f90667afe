/**
 * What programs cost in the embedded kernel, beside the same programs on this machine: wall time of commands, of a fork
 * and exec and of a system call, alternating in one run; and `kernelcov test` of the examples in both runtimes, whole.
 * Commands are timed by the same program on both sides, from inside the guest, so that the boot is not in them.
 *
 * Goals, as ratios: `deno test` and `bun test` 3, `python3 -c pass` 4, `git status` 5, fork and exec 8; the examples 2.5 s.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { buildEmbeddedKernel } from "../../src/build/build_kernel.ts";
import { noteRow } from "./bench_row.ts";

const ITERATIONS = 5;

interface Workload {
  readonly name: string;
  readonly unit: "ms" | "us";
  /** Arguments of timed.c. */
  readonly args: readonly string[];
  /** The largest ratio that was asked for. */
  readonly goal?: number;
  readonly cwd?: string;
}

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

const kernelcov = here("../../src/cli/kernelcov");
const folder = mkdtempSync(join(tmpdir(), "kernelcov-bench-"));
const timed = join(folder, "timed");
execFileSync("gcc", ["-O2", "-static", "-o", timed, here("./guest/timed.c")]);

/** A folder with so many empty test files. */
function emptyTests(count: number): string {
  const path = join(folder, `empty-${count}`);
  mkdirSync(path);
  for (let i = 0; i < count; i++) writeFileSync(join(path, `empty_${i}_test.ts`), "export {};\n");
  return path;
}

const one = emptyTests(1);
const thirty = emptyTests(30);
writeFileSync(join(folder, "hello.c"), '#include <stdio.h>\nint main(void) { puts("hello"); }\n');
writeFileSync(
  join(folder, "bun_test.ts"),
  'import { test } from "bun:test";\ntest("nothing", () => {});\n',
);

const WORKLOADS: readonly Workload[] = [
  { name: "getppid", unit: "us", args: ["getppid", "20000"] },
  { name: "fork, exec and wait of /bin/true", unit: "us", args: ["spawn", "100"], goal: 8 },
  {
    name: "python3 -c pass",
    unit: "ms",
    args: ["run", "3", "/usr/bin/python3", "-c", "pass"],
    goal: 4,
  },
  {
    name: "git status",
    unit: "ms",
    args: ["run", "3", "git", "-C", here(".."), "status"],
    goal: 5,
  },
  {
    name: "a C compiler, one small file",
    unit: "ms",
    args: ["run", "2", "gcc", "-O1", "-c", "-o", "/dev/null", join(folder, "hello.c")],
  },
  {
    name: "bun test, one test",
    unit: "ms",
    args: ["run", "3", "bun", "test", join(folder, "bun_test.ts")],
    goal: 3,
  },
  {
    name: "deno test, one empty file",
    unit: "ms",
    args: ["run", "2", "deno", "test", "-A", "--no-check", one],
    goal: 3,
  },
  {
    name: "deno test, 30 empty files",
    unit: "ms",
    args: ["run", "1", "deno", "test", "-A", "--no-check", thirty],
    goal: 3,
  },
  { name: "256 MiB written in random order", unit: "ms", args: ["touch", "256"] },
];

/** A shell's script that prints one line of figures for each workload. */
const script = [
  `cd ${folder}`,
  ...WORKLOADS.map(({ args }) => [timed, ...args].map((word) => `'${word}'`).join(" ")),
].join("\n");

/** The figures of each workload from one run of the script. */
function measure(command: readonly string[]): number[][] {
  const output = execFileSync(command[0], [...command.slice(1), "sh", "-c", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  return output.trim().split("\n").map((line) => line.trim().split(" ").map(Number));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function seconds(body: () => void): number {
  const start = performance.now();
  body();
  return (performance.now() - start) / 1000;
}

try {
  await buildEmbeddedKernel();
  const host: number[][] = WORKLOADS.map(() => []);
  const guest: number[][] = WORKLOADS.map(() => []);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    measure(["env"]).forEach((figures, i) => host[i].push(...figures));
    measure([kernelcov, "kernel", "run", "--"]).forEach((figures, i) => guest[i].push(...figures));
  }
  console.log(
    `${"".padEnd(34)}  ${"host".padStart(9)}     ${"guest".padStart(9)}      ratio   goal`,
  );
  WORKLOADS.forEach(({ name, unit, goal }, i) => {
    const [there, inside] = [median(host[i]), median(guest[i])];
    noteRow({
      what: name,
      figure: `${inside.toFixed(1)} ${unit}`,
      peer: `host ${there.toFixed(1)} ${unit}`,
      ratio: (inside / there).toFixed(2),
    });
    console.log(
      [
        name.padEnd(34),
        `${there.toFixed(1).padStart(9)} ${unit}`,
        `${inside.toFixed(1).padStart(9)} ${unit}`,
        `${(inside / there).toFixed(2).padStart(7)}`,
        goal === undefined ? "" : String(goal).padStart(5),
      ].join("  "),
    );
  });

  const examples = here("../../examples");
  const both = `deno test -A --no-check ${examples} && bun test ${examples}/*_test.ts`;
  const whole = Array.from({ length: 3 }, () =>
    seconds(() =>
      execFileSync(kernelcov, [
        ...["test", "--kernel", "embedded", "--out", join(folder, "coverage")],
        ...["--", "sh", "-c", both],
      ], { stdio: "ignore" })
    ));
  console.log(
    `kernelcov test of the examples, both runtimes  ${median(whole).toFixed(2)} s (goal 2.5)`,
  );
  const boot = Array.from(
    { length: 5 },
    () =>
      seconds(() => execFileSync(kernelcov, ["kernel", "run", "--", "true"], { stdio: "ignore" })),
  );
  console.log(`kernelcov kernel run -- true  ${median(boot).toFixed(2)} s`);
  for (
    const [what, times] of [["test of the examples", whole], ["kernel run -- true", boot]] as const
  ) {
    noteRow({ what, figure: `${median(times).toFixed(2)} s`, peer: "", ratio: "" });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
