/**
 * What questions and reports of a large run cost: a made-up run of 10,000 tests (or the number given) on the real image
 * of an embedded kernel, whose records are as those of tests are. Prints seconds, CPU seconds, memory and disk of each
 * command, as its process has them.
 *
 * Usage: `npm run bench -- scale`; with another number of tests `deno run -A scripts/bench/scale.ts TESTS`; with records
 * that know their origins `deno run -A scripts/bench/scale.ts TESTS origins`.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { openRun } from "../../src/record/run_writer.ts";
import { loadImageIndexSync } from "../../src/symbolize/index/load_index.ts";
import { cachedKernels } from "../../src/build/cached_kernels.ts";
import { madeUpRecords, randomNumbers, withMadeUpOrigins } from "./report/made_up_kernel.ts";
import { isQuick, noteRow } from "./bench_row.ts";

const POINTS_PER_TEST = 2000;
const KILOBYTE = 1024;

const tests = Number(process.argv[2] ?? (isQuick() ? 1000 : 10_000));
const hasOrigins = process.argv[3] === "origins";
const kernel = cachedKernels().find(({ manifest }) => manifest !== undefined);
if (kernel === undefined) {
  console.error("bench: there is no embedded kernel: run kernelcov kernel build");
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "kernelcov-scale-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const run = join(folder, "run");
const image = loadImageIndexSync(kernel.folder.vmlinux);
{
  const release = { buildId: image.buildId, release: "made up", machine: "x86_64" };
  using writer = openRun(run, { kernel: release });
  const random = randomNumbers(3);
  for (const record of madeUpRecords(image, tests, POINTS_PER_TEST)) {
    writer.append(hasOrigins ? withMadeUpOrigins(record, random) : record);
  }
}
console.log(`${tests} tests of ${POINTS_PER_TEST} points, ${megabytes(run)} of records`);

function megabytes(path: string): string {
  const bytes = statSync(path).isFile()
    ? statSync(path).size
    : readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** Runs kernelcov and returns what it took; its output is not looked at. */
async function measure(args: readonly string[]): Promise<string> {
  const start = performance.now();
  const child = spawn("/usr/bin/time", [
    ...["--format", "%U %S %M", "--output", join(folder, "time")],
    join(import.meta.dirname!, "../../src/cli/kernelcov"),
    ...args,
  ], { stdio: ["ignore", "ignore", "inherit"] });
  const status = await new Promise((resolve) => child.on("close", resolve));
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new RangeError(`kernelcov ${args.join(" ")} ended with ${status}`);
  const [user, system, memory] = (await import("node:fs")).readFileSync(
    join(folder, "time"),
    "utf8",
  )
    .trim().split(" ").map(Number);
  return `${seconds.toFixed(1)} s (CPU ${(user! + system!).toFixed(1)} s), ${
    (memory! * KILOBYTE / 1e6).toFixed(0)
  } MB of memory`;
}

const out = join(folder, "out");
const QUESTIONS: readonly (readonly [string, readonly string[], string?])[] = [
  ["report, as test ends", ["report", run, "--out", out], out],
  ["which FUNCTION", ["which", "vfs_read", "--run", run]],
  ["which FILE:LINE", ["which", "fs/read_write.c:450", "--run", run]],
  ["show TEST", ["show", "subsystem 0 > case 0: reads & writes <0>", "--run", run]],
  ["unique", ["unique", "--run", run]],
  ["minimize", ["minimize", "--run", run]],
  ["report --html", [
    ...["report", run, "--out", out, "--html", join(folder, "html")],
  ], join(folder, "html")],
];
for (const [name, args, written] of QUESTIONS) {
  const disk = await measure(args);
  noteRow({ what: name, figure: disk, peer: "", ratio: "" });
  console.log(
    `${name.padEnd(22)} ${disk}${written === undefined ? "" : `, ${megabytes(written)} on disk`}`,
  );
}
