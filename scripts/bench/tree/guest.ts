/**
 * Inside the embedded kernel: times commands without coverage, with collectors and under a supervisor, alternating, and
 * prints one line for each. Arguments: the folder of the packed kernelcov, a folder of the host for records, and runners,
 * by default all.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { COLLECTORS, RECORDER_VARIABLE } from "../../../src/kcov/recorder.ts";
import { noteRow } from "../bench_row.ts";

type RunnerCommand = typeof import("../../../src/runners/runner_command.ts");
type SupervisedCommand = typeof import("../../../src/tracer/supervised_command.ts");

const [packed, runs, ...asked] = process.argv.slice(2);
const { supervisorRuntime, withPreload }: RunnerCommand = await import(
  join(packed, "src/runners/runner_command.js")
);
const { supervisedCommand }: SupervisedCommand = await import(
  join(packed, "src/tracer/supervised_command.js")
);

const ITERATIONS = 5;
/** One empty test is short, so that more of them say more. */
const START_ITERATIONS = 15;

function here(name: string): string {
  return fileURLToPath(new URL(`./${name}`, import.meta.url));
}

/** Runs a command to its end, in milliseconds. */
async function timed(
  command: readonly string[],
  settings: NodeJS.ProcessEnv = {},
): Promise<number> {
  const start = performance.now();
  const child = spawn(command[0], command.slice(1), {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, NO_COLOR: "1", ...settings },
  });
  let errors = "";
  child.stderr.on("data", (text) => errors += text);
  const status = await new Promise((resolve) => child.on("close", resolve));
  if (status !== 0) throw new RangeError(`${command.join(" ")} ended with ${status}: ${errors}`);
  return performance.now() - start;
}

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

let run = 0;

/** Environment of a runner that records itself. */
function collecting(): NodeJS.ProcessEnv {
  return { [RECORDER_VARIABLE]: COLLECTORS, KERNELCOV_RUN: join(runs, String(run++)) };
}

function supervised(command: readonly string[]): string[] {
  const runDirectory = join(runs, String(run++));
  const options = { command, runDirectory, mode: "auto", record: false } as const;
  return supervisedCommand(options, supervisorRuntime(command));
}

/** Bodies that are wrapped by hand would record their own thread and report. */
const UNRECORDED = { KERNELCOV: "off" };

interface Times {
  readonly plain: number[];
  readonly collectors: number[];
  readonly ptrace: number[];
}

async function compare(
  plain: readonly string[],
  covered: readonly string[],
  iterations: number,
): Promise<Times> {
  const times: Times = { plain: [], collectors: [], ptrace: [] };
  for (let iteration = 0; iteration < iterations; iteration++) {
    times.plain.push(await timed(plain, UNRECORDED));
    times.collectors.push(await timed(covered, collecting()));
    times.ptrace.push(await timed(supervised(covered)));
  }
  return times;
}

function least(times: readonly number[]): number {
  return Math.min(...times);
}

function middle(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1];
}

const chosen = Object.entries(RUNNERS).filter(([name]) =>
  asked.length === 0 || asked.includes(name)
);
console.log(
  "runner  work                                       plain  collect.    ptrace  collect.    ptrace\n" +
    "                                                                                 times     times",
);
for (const [runner, words] of chosen) {
  for (const { name, files } of WORKS) {
    const plain = [...words, ...files];
    const all = await compare(plain, withPreload(plain).command, ITERATIONS);
    const [none, ...others] = [all.plain, all.collectors, all.ptrace].map(least);
    const columns = [
      ...[none, ...others].map((ms) => `${(ms / 1000).toFixed(3).padStart(8)}`),
      ...others.map((ms) => (ms / none).toFixed(2).padStart(8)),
    ];
    console.log(`${runner.padEnd(6)}  ${name.padEnd(38)}  ${columns.join("  ")}`);
    ["collectors", "ptrace"].forEach((how, i) =>
      noteRow({
        what: `${name}, ${how}, ${runner}`,
        figure: `${(others[i] / 1000).toFixed(3)} s`,
        peer: `plain ${(none / 1000).toFixed(3)} s`,
        ratio: (others[i] / none).toFixed(2),
      })
    );
  }
  const plain = [...words, here("one_test.ts")];
  const all = await compare(plain, withPreload(plain).command, START_ITERATIONS);
  const [none, ...others] = [all.plain, all.collectors, all.ptrace].map(middle);
  const more = others.map((ms) => `${(ms - none).toFixed(0)} ms`);
  console.log(
    `${runner.padEnd(6)}  one empty test takes ${
      none.toFixed(0)
    } ms (median of ${START_ITERATIONS}): ` +
      `with collectors ${more[0]} more, with ptrace ${more[1]} more`,
  );
}

for (const [runtime] of chosen) {
  const command = runtime === "deno" ? ["deno", "run", "-A", "--no-check"] : ["bun", "run"];
  const boundary = [...command, here("boundary.ts"), packed];
  for (
    const [how, [program, ...args], env] of [
      ["collectors", boundary, collecting()],
      ["ptrace", supervised(boundary), {}],
    ] as const
  ) {
    const child = spawn(program!, args, {
      stdio: "inherit",
      env: { ...process.env, ...env, BOUNDARY_RECORDER: how },
    });
    await new Promise((resolve) => child.on("close", resolve));
  }
}
