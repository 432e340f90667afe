/**
 * Inside the embedded kernel: times commands without a supervisor, under the least one (floor.c, which enrols every task
 * and records nothing) and under kernelcov's, alternating, and prints one line for each. Arguments: the folder of the packed
 * kernelcov, and runners, by default all.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { SUPERVISOR_VARIABLE } from "../../../src/kcov/recorder.ts";
import { readProcessStat } from "../../../src/sys/process_stat.ts";
import { PROTOCOL } from "../../../src/tracer/boundary/boundary_message.ts";

type RunnerCommand = typeof import("../../../src/runners/runner_command.ts");
type SupervisedCommand = typeof import("../../../src/tracer/supervised_command.ts");

const [packed, ...asked] = process.argv.slice(2);
const { supervisorRuntime, withPreload }: RunnerCommand = await import(
  join(packed, "src/runners/runner_command.js")
);
const { supervisedCommand }: SupervisedCommand = await import(
  join(packed, "src/tracer/supervised_command.js")
);

const ITERATIONS = 3;
const CLOCK_TICKS = 100;

interface Timing {
  readonly wallMs: number;
  /** Processor time of the started process itself, children aside. */
  readonly cpuMs: number;
}

function here(name: string): string {
  return fileURLToPath(new URL(`./${name}`, import.meta.url));
}

/** Runs a command to its end. Its own processor time is read while it runs, so the last tenth of a second is missing. */
async function timed(
  command: readonly string[],
  settings: NodeJS.ProcessEnv = {},
): Promise<Timing> {
  const start = performance.now();
  const child = spawn(command[0], command.slice(1), {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, NO_COLOR: "1", ...settings },
  });
  let errors = "";
  child.stderr.on("data", (text) => errors += text);
  let ticks = 0;
  const poll = setInterval(() => {
    const stat = readProcessStat(child.pid!);
    if (stat !== undefined) ticks = Number(stat.field(14)) + Number(stat.field(15));
  }, 100);
  const status = await new Promise((resolve) => child.on("close", resolve));
  clearInterval(poll);
  if (status !== 0) throw new RangeError(`${command.join(" ")} ended with ${status}: ${errors}`);
  return { wallMs: performance.now() - start, cpuMs: ticks * 1000 / CLOCK_TICKS };
}

/** Bodies that are wrapped by hand would record their own thread and report. */
const UNRECORDED = { KERNELCOV: "off" };
/** The preload speaks to any supervisor that it is told of. */
const ANSWERED = { [SUPERVISOR_VARIABLE]: PROTOCOL };

const RUNNERS: Readonly<Record<string, readonly string[]>> = {
  deno: ["deno", "test", "-A", "--no-check"],
  bun: ["bun", "test", "--timeout", "120000"],
};
const examples = ["files", "pipes", "sockets"].map((name) =>
  here(`../../../examples/${name}_test.ts`)
);
const WORKS: readonly { readonly name: string; readonly files: readonly string[] }[] = [
  { name: "the examples", files: examples },
  { name: "200 empty tests", files: [here("empty_test.ts")] },
  { name: "a test that forks 200 times", files: [here("fork_test.ts")] },
  { name: "a test that makes 100,000 system calls", files: [here("call_test.ts")] },
  { name: "a test that computes", files: [here("compute_test.ts")] },
];

const folder = mkdtempSync(join(tmpdir(), "kernelcov-bench-"));
const floor = join(folder, "floor");
execFileSync("gcc", ["-O2", "-o", floor, here("floor.c")]);
let runs = 0;

/** A command as the least supervisor and kernelcov's run it. */
function supervised(command: readonly string[]): string[] {
  const runDirectory = join(folder, `run-${runs++}`);
  const options = { command, runDirectory, mode: "auto", record: false } as const;
  return supervisedCommand(options, supervisorRuntime(command));
}

async function compare(
  runner: string,
  work: string,
  plain: readonly string[],
  covered = plain,
): Promise<void> {
  const timings: Record<"plain" | "least" | "own", Timing[]> = { plain: [], least: [], own: [] };
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    timings.plain.push(await timed(plain, UNRECORDED));
    timings.least.push(await timed([floor, ...covered], ANSWERED));
    timings.own.push(await timed(supervised(covered)));
  }
  const best = Object.values(timings).map((all) =>
    all.reduce((one, other) => other.wallMs < one.wallMs ? other : one)
  );
  const [none, least, own] = best.map(({ wallMs }) => wallMs);
  console.log(
    [
      runner.padEnd(6),
      work.padEnd(38),
      ...[none, least, own].map((ms) => `${(ms / 1000).toFixed(2).padStart(6)} s`),
      ...[least, own].map((ms) => (ms / none).toFixed(2).padStart(6)),
      `${(best[2].cpuMs / own * 100).toFixed(0).padStart(8)} %`,
    ].join("  "),
  );
}

console.log(
  "runner  work                                       plain     floor       own   floor     own  supervisor\n" +
    "                                                                              times   times   of a core",
);
for (const [runner, words] of Object.entries(RUNNERS)) {
  if (asked.length > 0 && !asked.includes(runner)) continue;
  for (const { name, files } of WORKS) {
    const plain = [...words, ...files];
    await compare(runner, name, plain, withPreload(plain).command);
  }
}
await compare("none", "a command that does nothing", ["/bin/true"]);

for (const runtime of ["deno", "bun"]) {
  const command = runtime === "deno" ? ["deno", "run", "-A", "--no-check"] : ["bun", "run"];
  const [program, ...args] = supervised([...command, here("boundary.ts")]);
  const child = spawn(program, args, { stdio: "inherit" });
  await new Promise((resolve) => child.on("close", resolve));
}
