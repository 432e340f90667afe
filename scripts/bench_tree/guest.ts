/** Inside the embedded kernel: times commands without and with the supervisor, in turns, and prints one line for each. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { withPreload } from "../../src/testing/runner_command.ts";
import { supervisedCommand } from "../../src/tracer/supervised_command.ts";

const TURNS = 3;
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
async function timed(command: readonly string[]): Promise<Timing> {
  const start = performance.now();
  const child = spawn(command[0], command.slice(1), {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  let errors = "";
  child.stderr.on("data", (text) => errors += text);
  let ticks = 0;
  const poll = setInterval(() => {
    try {
      const stat = readFileSync(`/proc/${child.pid}/stat`, "latin1");
      const [user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13);
      ticks = Number(user) + Number(system);
    } catch {
      // It has ended.
    }
  }, 100);
  const status = await new Promise((resolve) => child.on("close", resolve));
  clearInterval(poll);
  if (status !== 0) throw new RangeError(`${command.join(" ")} ended with ${status}: ${errors}`);
  return { wallMs: performance.now() - start, cpuMs: ticks * 1000 / CLOCK_TICKS };
}

const RUNNERS: Readonly<Record<string, readonly string[]>> = {
  deno: ["deno", "test", "-A", "--no-check"],
  bun: ["bun", "test", "--timeout", "120000"],
};
const examples = ["files", "pipes", "sockets"].map((name) =>
  here(`../../examples/${name}_test.ts`)
);
const WORKS: readonly { readonly name: string; readonly files: readonly string[] }[] = [
  { name: "the examples", files: examples },
  { name: "200 empty tests", files: [here("empty_test.ts")] },
  { name: "a test that forks 200 times", files: [here("fork_test.ts")] },
  { name: "a test that makes 100,000 system calls", files: [here("call_test.ts")] },
  { name: "a test that computes", files: [here("compute_test.ts")] },
];

console.log(
  "runner  work                                     plain      supervised   times   supervisor",
);
for (const [runner, words] of Object.entries(RUNNERS)) {
  for (const { name, files } of WORKS) {
    const plain: Timing[] = [];
    const traced: Timing[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      const { command } = withPreload([...words, ...files]);
      plain.push(await timed([...words, ...files]));
      traced.push(
        await timed(
          supervisedCommand({
            command,
            runDirectory: `/tmp/kernelcov-bench-${turn}`,
            mode: "auto",
            record: false,
          }),
        ),
      );
    }
    const least = Math.min(...plain.map(({ wallMs }) => wallMs));
    const [best] = traced.sort((first, second) => first.wallMs - second.wallMs);
    const share = best.cpuMs / best.wallMs * 100;
    console.log(
      [
        runner.padEnd(6),
        name.padEnd(38),
        `${(least / 1000).toFixed(2).padStart(6)} s`,
        `${(best.wallMs / 1000).toFixed(2).padStart(9)} s`,
        `${(best.wallMs / least).toFixed(2).padStart(8)}`,
        `${share.toFixed(0).padStart(6)} % of a core`,
      ].join("  "),
    );
  }
}

for (const runtime of ["deno", "bun"]) {
  const command = runtime === "deno" ? ["deno", "run", "-A", "--no-check"] : ["bun", "run"];
  const [program, ...args] = supervisedCommand({
    command: [...command, here("boundary.ts")],
    runDirectory: "/tmp/kernelcov-bench-boundary",
    mode: "auto",
    record: false,
  });
  const child = spawn(program, args, { stdio: "inherit" });
  await new Promise((resolve) => child.on("close", resolve));
}
