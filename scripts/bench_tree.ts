/**
 * What whole-tree coverage costs, in the embedded kernel: wall time of test commands without a supervisor, under the
 * least one that can be (a program in C that enrols every task and reads nothing) and under kernelcov's, in turns in one
 * run; the supervisor's own processor time; and a test boundary beside `getppid`. Arguments: deno, bun; both by default.
 *
 * Goals: 1.15 times or less for suites, 20 % of a core or less while tests compute, 20 `getppid` or less a boundary.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { transpileAhead } from "../src/testing/transpile_ahead.ts";
import { buildEmbeddedKernel } from "../src/uml/build_kernel.ts";
import { runInKernel } from "../src/uml/run_kernel.ts";

await buildEmbeddedKernel();
// As the command does.
transpileAhead();
const guest = fileURLToPath(new URL("./bench_tree/guest.ts", import.meta.url));
const { exitStatus } = await runInKernel({
  command: ["deno", "run", "-A", "--no-check", "--no-lock", guest, ...process.argv.slice(2)],
});
process.exit(exitStatus);
