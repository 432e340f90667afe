/**
 * Compares the lines that kernelcov attributes to KCOV's points with what gcov counts: one workload on the embedded
 * kernel and on its gcov twin. Prints precision (the share of claimed lines that gcov saw run) and recall (the share
 * of the lines that gcov saw run that are claimed) per file; fails where a goal is missed.
 *
 *   npm run check:gcov -- [--lines] [FILE.c …]
 *   bun scripts/checks/gcov_twin/gcov_twin.ts [--lines] [FILE.c …]
 *
 * gcov counts what every task and interrupt of the kernel runs, KCOV the workload's only thread: recall is a lower
 * bound. Lines that gcov has no counter for (a closing brace, `return 0;`) can be neither right nor wrong: precision
 * is given without and, as "strict", with them as false.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { elfFileOf } from "../../../src/elf/elf_file.ts";
import { KcovUnavailableError } from "../../../src/errors.ts";
import { buildImageIndex } from "../../../src/symbolize/index/build_image_index.ts";
import { buildEmbeddedKernel } from "../../../src/build/build_kernel.ts";
import type { KernelFolder } from "../../../src/build/kernel_folder.ts";
import { claimedLines, compareLines } from "./compare_lines.ts";
import { readGcovLines } from "./gcov_lines.ts";
import { buildTwinKernel } from "./twin_kernel.ts";

const FILES = ["fs/namei.c", "mm/shmem.c", "net/socket.c", "fs/pipe.c", "net/unix/af_unix.c"];
const PRECISION_GOAL = 0.97;
const RECALL_GOAL = 0.93;

const args = process.argv.slice(2);
const named = args.filter((arg) => !arg.startsWith("--"));
const files = named.length > 0 ? named : FILES;
const folder = mkdtempSync(join(tmpdir(), "kernelcov-twin-"));
try {
  process.exitCode = await compareKernels(args.includes("--lines")) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

async function compareKernels(withLines: boolean): Promise<boolean> {
  const embedded = await buildEmbeddedKernel();
  const twin = await buildTwinKernel(embedded, (line) => console.error(line));
  const workload = join(folder, "workload");
  const gcc = spawnSync(
    "gcc",
    ["-O1", "-static", "-o", workload, fileURLToPath(new URL("workload.c", import.meta.url))],
    { encoding: "utf8" },
  );
  if (gcc.status !== 0) throw new TypeError(`The workload does not compile:\n${gcc.stderr}`);
  const recorded = bootWorkload(embedded, workload, "kcov");
  // gcc has written the objects' real paths into them.
  const objects = `/sys/kernel/debug/gcov${realpathSync(twin.source)}`;
  const list = join(folder, "files");
  writeFileSync(list, files.map((file) => `${objects}/${file.replace(/c$/, "gcda")}\n`).join(""));
  const counted = bootWorkload(twin, workload, "gcov", list);

  const index = buildImageIndex(elfFileOf(readFileSync(embedded.vmlinux)));
  const pcs = readFileSync(join(recorded, "pcs"), "utf8").trim().split("\n").map(Number);
  const claimed = claimedLines(index, pcs);
  console.log(
    `${pcs.length} distinct PCs, ${index.pointOffset.length} points, ${index.lineNumber.length} lines`,
  );
  let met = true;
  const rows: string[][] = [];
  for (const [at, file] of files.entries()) {
    const gcov = readGcovLines(
      file,
      join(counted, `${at}.gcda`),
      join(twin.source, file.replace(/c$/, "gcno")),
      twin.source,
    );
    const accuracy = compareLines(claimed.get(file) ?? new Set(), gcov);
    met &&= accuracy.precision >= PRECISION_GOAL && accuracy.recall >= RECALL_GOAL;
    rows.push([
      file,
      accuracy.precision.toFixed(3),
      accuracy.recall.toFixed(3),
      accuracy.strictPrecision.toFixed(3),
      String(accuracy.agreed.length),
      String(accuracy.falseClaims.length),
      String(accuracy.uncounted.length),
      String(accuracy.misses.length),
    ]);
    if (withLines) {
      printLines(file, readFileSync(join(twin.source, file), "utf8").split("\n"), accuracy);
    }
  }
  const heads = ["file", "precision", "recall", "strict", "agreed", "false", "uncounted", "missed"];
  printTable([heads, ...rows]);
  console.log(
    `Goals: precision ${PRECISION_GOAL}, recall ${RECALL_GOAL}: ${met ? "met" : "missed"}`,
  );
  return met;
}

/** Boots a kernel with the workload as its only process. Returns the folder of its results. */
function bootWorkload(
  kernel: KernelFolder,
  workload: string,
  ...words: [kind: string, list?: string]
): string {
  const results = join(folder, words[0]);
  mkdirSync(results);
  const [kind, ...rest] = words;
  const run = spawnSync(
    kernel.linux,
    [
      "mem=512M",
      "root=/dev/root",
      "rootfstype=hostfs",
      "rootflags=/",
      "rw",
      "con=null",
      "quiet",
      `init=${workload}`,
    ]
      .concat(["--", kind, results, ...rest as string[]]),
    { encoding: "utf8", timeout: 120_000, stdio: ["ignore", "pipe", "pipe"] },
  );
  if (existsSync(join(results, "done"))) return results;
  const error = join(results, "error");
  const reason = existsSync(error)
    ? readFileSync(error, "utf8")
    : `${run.stdout}${run.stderr}`.trim();
  throw new KcovUnavailableError(
    "not-built-in",
    `The workload failed in ${kernel.linux}: check ${reason}`,
  );
}

function printLines(
  file: string,
  source: string[],
  accuracy: ReturnType<typeof compareLines>,
): void {
  const kinds = [["false", accuracy.falseClaims], ["uncounted", accuracy.uncounted], [
    "missed",
    accuracy.misses,
  ]];
  for (const [kind, lines] of kinds as [string, readonly number[]][]) {
    for (const line of lines) console.log(`${kind} ${file}:${line}: ${source[line - 1]?.trim()}`);
  }
}

function printTable(rows: string[][]): void {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    console.log(
      row.map((cell, at) => at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])).join(
        "  ",
      ),
    );
  }
}
