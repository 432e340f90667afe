/**
 * Feeds mutated and truncated images to the ELF and DWARF readers, the index builder and its cache file. Each case has
 * to end with an index whose columns fit together, or with a FormatError: no other error, no hang, and no more memory
 * than the bound. Cases run in a child process; the seed and a case's number give the same image again.
 *
 *   npm run check:fuzz -- [--minutes N] [--seed S] [--case K] [--kernel VMLINUX]
 *   bun scripts/checks/fuzz_images.ts [the same]
 *
 * Without --kernel, slices of the embedded kernel are fuzzed too where it is built.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { embeddedKernelPath } from "../../src/build/build_kernel.ts";
import { type CaseCounts, type CasesToRun, readProgress } from "./fuzz_images/run_cases.ts";

/** Longest time for one case; ordinary ones take a millisecond, slices of a kernel 20. */
const CASE_MS = 10_000;
/** Memory that the child may have at any time, with the runtime's own and the kernel's image. */
const MEMORY_BOUND = 1024 ** 3;
const POLL_MS = 100;
/**
 * Cases of one child. The bound is for what a case takes, but `zstdDecompressSync` of Deno 2.9.6 keeps 24 KB for ever each
 * time that it refuses data, which comes to a gigabyte in 150,000 cases.
 */
const CASES_OF_A_CHILD = 25_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    case: { type: "string" },
    kernel: { type: "string", default: embeddedKernelPath() },
  },
});
const seed = Number(values.seed), minutes = Number(values.minutes);
const single = values.case === undefined ? undefined : Number(values.case);
if (![seed, minutes, single ?? 0].every((value) => value >= 0)) {
  throw new TypeError(
    "--seed, --minutes and --case need numbers: fuzz_images.ts --minutes 10 --seed 1",
  );
}
const runtime = process.versions["bun"] === undefined ? "Deno" : "Bun";
console.log(
  `Seed ${seed}, ${runtime}, ${single === undefined ? `${minutes} minutes` : `case ${single}`}, ` +
    `${MEMORY_BOUND / 1024 ** 2} MiB at most, ${
      values.kernel === undefined ? "no kernel" : "with slices of the kernel"
    }`,
);
const folder = mkdtempSync(join(tmpdir(), "kernelcov-fuzz-"));
try {
  process.exitCode = await fuzz() === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function fuzz(): Promise<number> {
  const deadline = performance.now() + minutes * 60_000;
  const total: CaseCounts = { cases: 0, results: 0, formatErrors: 0, kernelCases: 0 };
  let failures = 0, peak = 0;
  for (let first = single ?? 0; first >= 0;) {
    const run = await runChild(
      {
        seed,
        first,
        last: single ?? first + CASES_OF_A_CHILD - 1,
        kernel: values.kernel,
        folder,
      },
      deadline,
    );
    failures += run.failures;
    peak = Math.max(peak, run.peak);
    total.cases += run.cases;
    total.results += run.results;
    total.formatErrors += run.formatErrors;
    total.kernelCases += run.kernelCases;
    first = run.next;
  }
  console.log(
    `${total.cases} cases (${total.kernelCases} slices of the kernel): ${total.results} results, ` +
      `${total.formatErrors} FormatErrors, ${failures} failures; at most ${
        Math.round(peak / 1024 ** 2)
      } MiB; seed ${seed}`,
  );
  return failures;
}

type ChildRun = CaseCounts & {
  failures: number;
  /** Highest resident memory seen. */
  peak: number;
  /** The case to go on with, or -1 at the end. */
  next: number;
};

/** Runs cases in a child until the time is over, or until one hangs, crashes or takes too much memory. */
async function runChild(cases: CasesToRun, deadline: number): Promise<ChildRun> {
  rmSync(join(folder, "case"), { force: true });
  const script = fileURLToPath(new URL("fuzz_images/run_cases.ts", import.meta.url));
  const runArguments = runtime === "Deno" ? ["run", "-A", "--no-check"] : [];
  const child = spawn(
    process.execPath,
    [...runArguments, script, "--run-cases", JSON.stringify(cases)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let failures = 0, peak = 0;
  child.stdout.on("data", (bytes: Uint8Array) => {
    const text = new TextDecoder().decode(bytes);
    failures += text.split("FAILED case").length - 1;
    process.stdout.write(text);
  });
  const ended = Promise.withResolvers<void>();
  child.on("close", () => ended.resolve());
  let problem: string | undefined, current = -2, since = performance.now(), timeIsOver = false;
  while (child.exitCode === null && child.signalCode === null) {
    const timer = Promise.withResolvers<void>();
    setTimeout(timer.resolve, POLL_MS);
    await Promise.race([ended.promise, timer.promise]);
    const number = existsSync(join(folder, "case")) ? readProgress(folder).number : -2;
    const now = performance.now();
    if (number !== current) [current, since] = [number, now];
    peak = Math.max(peak, residentPeak(child));
    if (current >= 0 && now - since > CASE_MS) problem = `hangs for ${CASE_MS / 1000} s`;
    else if (peak > MEMORY_BOUND) problem = `takes ${Math.round(peak / 1024 ** 2)} MiB`;
    timeIsOver = single === undefined && now > deadline;
    if (problem !== undefined || timeIsOver) child.kill("SIGKILL");
    if (problem !== undefined || timeIsOver) break;
  }
  await ended.promise;
  const { number, ...counts } = existsSync(join(folder, "case"))
    ? readProgress(folder)
    : { number: 0, cases: 0, results: 0, formatErrors: 0, kernelCases: 0 };
  if (!timeIsOver && problem === undefined && number >= 0) {
    problem = `ends the process (status ${child.exitCode}, signal ${child.signalCode})`;
  }
  if (problem !== undefined) {
    failures++;
    console.log(`FAILED case ${number}: it ${problem}`);
  }
  const isLast = timeIsOver || single !== undefined || performance.now() > deadline;
  const next = number < 0 ? cases.last + 1 : number + 1;
  return { ...counts, failures, peak, next: isLast ? -1 : next };
}

/** The most memory that the child has had resident, in bytes. */
function residentPeak(child: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
