/**
 * Symbolization against `llvm-symbolizer --inlines`, each side as whole processes in the same run: all coverage points
 * of a kernel and the 2,000 PCs of a test, without a cache and with one; time as a ratio, and the peak memory of each.
 *
 *   npm run bench -- symbolize
 *
 * The image is the embedded kernel's; and the file that KERNELCOV_BENCH_VMLINUX names, such as a distribution's kernel
 * with KCOV, where it is set (`.zst` is expanded).
 */
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { zstdDecompressSync } from "node:zlib";
import { formatAddress } from "../../src/base/address.ts";
import { readImagePoints } from "../../src/symbolize/units/image_points.ts";
import { OpenImage } from "../../src/kernel/image/open_image.ts";
import { embeddedKernelPath } from "../../src/build/build_kernel.ts";
import { noteRow } from "./bench_row.ts";

const ROUNDS = 5;
const TEST_PCS = 2000;
const TASK = fileURLToPath(new URL("symbolize/task.ts", import.meta.url));

/** Time from start to end and peak memory of a process. */
interface Measure {
  readonly seconds: number;
  readonly megabytes: number;
}

const RUNTIMES: Readonly<Record<string, readonly string[]>> = {
  deno: ["deno", "run", "-A", "--no-check", TASK],
  bun: ["bun", "run", TASK],
};

const folder = mkdtempSync(join(tmpdir(), "kernelcov-bench-"));
try {
  const embedded = embeddedKernelPath();
  if (embedded === undefined) {
    console.log("embedded kernel: not built, left out: run kernelcov kernel build");
  } else await benchImage("embedded kernel", embedded);
  const named = process.env["KERNELCOV_BENCH_VMLINUX"];
  if (named === undefined) {
    console.log("\nno other kernel: set KERNELCOV_BENCH_VMLINUX to a vmlinux with KCOV");
  } else await benchImage(named, expanded(named));
} finally {
  rmSync(folder, { recursive: true });
}

function expanded(path: string): string {
  if (!path.endsWith(".zst")) return path;
  const image = join(folder, "vmlinux");
  writeFileSync(image, zstdDecompressSync(readFileSync(path)));
  return image;
}

async function benchImage(name: string, image: string): Promise<void> {
  const { points, callLength } = pointsOf(image);
  console.log(
    `\n${name}: ${points.length} coverage points; medians of ${ROUNDS} runs, whole processes`,
  );
  const cells = ["llvm-symbolizer", ...Object.keys(RUNTIMES)].map((side) => side.padStart(26));
  console.log("task".padEnd(26) + cells.join(""));
  const all = writePcs("all", points, callLength);
  const some = writePcs("some", sample(points, TEST_PCS), callLength);
  await benchTask("index, built and stored", image, all, "index", undefined);
  for (const [what, pcs] of [["all points", all], [`${TEST_PCS} PCs`, some]] as const) {
    for (const state of ["cold", "warm"]) {
      for (const mode of ["frames", "text"]) {
        await benchTask(
          `${what}, ${state}, ${mode}`,
          image,
          pcs,
          mode,
          state === "warm" ? all : undefined,
        );
      }
    }
  }
}

/** Files of the same points: as calls, for llvm-symbolizer, and as the return addresses that the kernel records. */
interface PcFiles {
  readonly calls: string;
  readonly returns: string;
}

function writePcs(name: string, points: Float64Array, callLength: number): PcFiles {
  const files = { calls: join(folder, `${name}-calls`), returns: join(folder, `${name}-returns`) };
  for (const [file, shift] of [[files.calls, 0], [files.returns, callLength]] as const) {
    writeFileSync(
      file,
      Array.from(points, (point) => `${formatAddress(point + shift)}\n`).join(""),
    );
  }
  return files;
}

/** @param fill PCs that fill the cache first; without them there is no cache when the task starts */
async function benchTask(
  title: string,
  image: string,
  pcs: PcFiles,
  mode: string,
  fill: PcFiles | undefined,
): Promise<void> {
  const columns: Measure[][] = [[], ...Object.keys(RUNTIMES).map(() => [])];
  const judge = ["llvm-symbolizer", "--inlines", "-e", image];
  const cache = join(folder, "cache");
  rmSync(cache, { recursive: true, force: true });
  const [filler] = Object.values(RUNTIMES);
  if (fill !== undefined) await measure([...filler, "index", image, fill.returns, cache]);
  // Side by side, so that other work of the machine affects all of them. Round 0 fills the page cache.
  for (let round = 0; round <= ROUNDS; round++) {
    const measures = [await measure(judge, pcs.calls)];
    for (const runtime of Object.values(RUNTIMES)) {
      if (fill === undefined) rmSync(cache, { recursive: true, force: true });
      measures.push(await measure([...runtime, mode, image, pcs.returns, cache]));
    }
    if (round > 0) measures.forEach((one, side) => columns[side].push(one));
  }
  const [llvm, ...ours] = columns.map(median);
  const cells = [measureText(llvm)];
  Object.keys(RUNTIMES).forEach((runtime, side) =>
    noteRow({
      what: `${title}, ${runtime}`,
      figure: measureText(ours[side]),
      peer: `llvm-symbolizer ${measureText(llvm)}`,
      ratio: (ours[side].seconds / llvm.seconds).toFixed(3),
    })
  );
  for (const one of ours) {
    cells.push(`${(one.seconds / llvm.seconds).toFixed(3)} ${measureText(one)}`);
  }
  console.log(title.padEnd(26) + cells.map((cell) => cell.padStart(26)).join(""));
}

function measureText({ seconds, megabytes }: Measure): string {
  return `${seconds.toFixed(3)} s ${megabytes.toFixed(0).padStart(4)} MB`;
}

function median(measures: readonly Measure[]): Measure {
  const seconds = measures.map((one) => one.seconds).sort((a, b) => a - b);
  return {
    seconds: seconds[seconds.length >> 1],
    megabytes: Math.max(...measures.map((one) => one.megabytes)),
  };
}

function pointsOf(path: string): { points: Float64Array; callLength: number } {
  using image = new OpenImage(path);
  const { address, callLength } = readImagePoints(image.elf);
  return { points: address, callLength };
}

/** Points spread evenly but not regularly: the same ones in each run. */
function sample(points: Float64Array, count: number): Float64Array {
  let seed = 1;
  return Float64Array.from({ length: count }, (_, at) => {
    seed = Math.imul(seed, 0x19660d) + 0x3c6ef35f | 0;
    const step = points.length / count;
    return points[Math.floor((at + (seed >>> 8) / (1 << 24)) * step)];
  });
}

/** Runs a process to its end, its output to nowhere. */
async function measure(command: readonly string[], input?: string): Promise<Measure> {
  const standardInput = openSync(input ?? "/dev/null", "r"), nowhere = openSync("/dev/null", "w");
  try {
    const start = performance.now();
    const child = spawn(command[0], command.slice(1), {
      stdio: [standardInput, nowhere, "inherit"],
    });
    let kilobytes = 0;
    // The kernel keeps the peak until the process is reaped; looking every few milliseconds misses little.
    const watch = setInterval(() => {
      kilobytes = Math.max(kilobytes, peakKilobytes(child.pid));
    }, 4);
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    child.once("error", reject);
    child.once("exit", resolve);
    const status = await promise;
    const seconds = (performance.now() - start) / 1000;
    clearInterval(watch);
    if (status !== 0) {
      throw new TypeError(`Cannot measure ${command.join(" ")}: it ended with ${status}`);
    }
    return { seconds, megabytes: kilobytes / 1024 };
  } finally {
    closeSync(standardInput);
    closeSync(nowhere);
  }
}

/** Peak resident memory of a process so far; 0 where it has ended. */
function peakKilobytes(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
