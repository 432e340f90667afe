/**
 * Compares the lines that kernelcov attributes to KCOV's points with what gcov counts: workloads on the embedded kernel
 * and on its gcov twin. Prints precision (the share of claimed lines that gcov saw run) and recall (the share of the
 * lines that gcov saw run that are claimed) per file; fails where a goal is missed.
 *
 *   npm run check:gcov -- [--workload NAME]… [--lines] [--write] [--results FOLDER] [--kernel FOLDER] [FILE.c …]
 *
 * `--lines` lists all lines that differ, and `--write` puts the tables into docs/accuracy.md. `--results` keeps what the
 * kernels recorded, so that a second run only compares. `--kernel` takes a kernel that is built already, a folder of
 * `kernelcov kernel list`, in place of the embedded one. Files are those of the workload unless some are named.
 *
 * gcov counts what every task and interrupt of the kernel runs, KCOV the workload's only thread: recall is taken over
 * the functions that this thread entered, "full" over all. Lines that gcov has no counter for (a closing brace,
 * `return 0;`) can be neither right nor wrong: precision is given without and, as "strict", with them as false. "caused"
 * and "all caused" are recall and full recall of a run that a collector recorded: of the thread's children, and of what
 * the kernel did later on its behalf too.
 */
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
import { parseArgs } from "node:util";
import { elfFileOf } from "../../../src/elf/elf_file.ts";
import { buildImageIndex } from "../../../src/symbolize/index/build_image_index.ts";
import type { ImageIndex } from "../../../src/symbolize/index/image_index.ts";
import { buildEmbeddedKernel } from "../../../src/build/build_kernel.ts";
import { type KernelFolder, kernelFolder } from "../../../src/build/kernel_folder.ts";
import { markdownTable, plainTable, type Table, writeAccuracy } from "../accuracy_document.ts";
import {
  type ClaimedFile,
  claimedFiles,
  compareLines,
  type LineAccuracy,
  ratesOf,
} from "./compare_lines.ts";
import { readGcovLines } from "./gcov_lines.ts";
import { lineKind } from "./line_kinds.ts";
import { compileWorkload, runWorkload } from "./run_workload.ts";
import { buildTwinKernel } from "./twin_kernel.ts";
import { type Workload, WORKLOADS } from "./workloads.ts";

const PRECISION_GOAL = 0.985;
const RECALL_GOAL = 0.95;

interface FileComparison extends LineAccuracy {
  /** The same with the points of a collector. */
  readonly caused: LineAccuracy;
  readonly file: string;
  readonly source: readonly string[];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workload: { type: "string", multiple: true },
    lines: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    results: { type: "string" },
    kernel: { type: "string" },
  },
});
const chosen = values.workload ?? WORKLOADS.map(({ name }) => name);
const unknown = chosen.find((name) => !WORKLOADS.some((workload) => workload.name === name));
if (unknown !== undefined) {
  throw new TypeError(
    `Unknown workload ${unknown}: choose ${WORKLOADS.map(({ name }) => name).join(", ")}`,
  );
}
const folder = values.results ?? mkdtempSync(join(tmpdir(), "kernelcov-twin-"));
mkdirSync(folder, { recursive: true });
try {
  process.exitCode = await compareKernels() ? 0 : 1;
} finally {
  if (values.results === undefined) rmSync(folder, { recursive: true });
}

async function compareKernels(): Promise<boolean> {
  const embedded = values.kernel === undefined
    ? await buildEmbeddedKernel()
    : kernelFolder(values.kernel);
  const twin = await buildTwinKernel(embedded, (line) => console.error(line));
  const index = buildImageIndex(elfFileOf(readFileSync(embedded.vmlinux)));
  const all: FileComparison[] = [], parts: string[] = [];
  for (const workload of WORKLOADS.filter(({ name }) => chosen.includes(name))) {
    const files = positionals.length > 0 ? positionals : workload.files;
    const comparisons = compareWorkload({ ...workload, files }, embedded, twin, index);
    const title = `${workload.name}${
      workload.isTuned ? "" : ", on files that no rule was tried on"
    }`;
    const table = tableOf(comparisons);
    console.log(`\n${title}\n${plainTable(table)}`);
    parts.push(`**${title}**\n\n${markdownTable(table)}`);
    all.push(...comparisons);
  }
  const kinds = kindTable(all);
  console.log(`\nLines by kind\n${plainTable(kinds)}`);
  parts.push(`**Lines by kind**\n\n${markdownTable(kinds)}`);
  if (values.write) writeAccuracy("gcov", parts.join("\n"));
  if (values.lines) all.forEach(printLines);
  const { precision, recall } = ratesOf(all);
  const met = precision >= PRECISION_GOAL && recall >= RECALL_GOAL;
  console.log(
    `Goals: precision ${PRECISION_GOAL}, recall ${RECALL_GOAL}: ${met ? "met" : "missed"}`,
  );
  return met;
}

/** Runs a workload on both kernels, unless its results are there, and compares its files. */
function compareWorkload(
  { name, files }: Workload,
  embedded: KernelFolder,
  twin: KernelFolder,
  index: ImageIndex,
): FileComparison[] {
  const program = join(folder, name);
  const recorded = join(folder, `${name}.kcov`), counted = join(folder, `${name}.gcov`);
  const collected = join(folder, `${name}.collect`);
  // gcc has written the objects' real paths into them.
  const objects = `/sys/kernel/debug/gcov${realpathSync(twin.source)}`;
  const paths = files.map((file) => `${objects}/${file.replace(/c$/, "gcda")}\n`).join("");
  const list = join(folder, `${name}.files`);
  // Results are those of the files in the list, in its order.
  const isKept = existsSync(join(counted, "done")) && existsSync(list) &&
    readFileSync(list, "utf8") === paths;
  if (!isKept) {
    for (const results of [recorded, collected, counted]) {
      rmSync(results, { recursive: true, force: true });
    }
    compileWorkload(name, program);
    writeFileSync(list, paths);
    runWorkload(embedded, program, recorded, "kcov");
    runWorkload(embedded, program, collected, "collect");
    runWorkload(twin, program, counted, "gcov", list);
  }
  const claimed = claimedFiles(index, pcsIn(recorded)),
    caused = claimedFiles(index, pcsIn(collected));
  return files.map((file, at) => {
    const gcov = readGcovLines(
      file,
      join(counted, `${at}.gcda`),
      join(twin.source, file.replace(/c$/, "gcno")),
      twin.source,
    );
    const nothing: ClaimedFile = { lines: new Set(), functions: [], entered: new Set() };
    return {
      file,
      source: readFileSync(join(twin.source, file), "utf8").split("\n"),
      ...compareLines(claimed.get(file) ?? nothing, gcov),
      caused: compareLines(caused.get(file) ?? nothing, gcov),
    };
  });
}

function pcsIn(results: string): number[] {
  return readFileSync(join(results, "pcs"), "utf8").trim().split("\n").map(Number);
}

function tableOf(comparisons: readonly FileComparison[]): Table {
  const row = (name: string, files: readonly FileComparison[]): string[] => {
    const { precision, strictPrecision, recall, fullRecall } = ratesOf(files);
    const caused = ratesOf(files.map((file) => file.caused));
    const shares = [
      precision,
      strictPrecision,
      recall,
      fullRecall,
      caused.recall,
      caused.fullRecall,
    ];
    const counts = (["agreed", "falseClaims", "uncounted", "misses", "elsewhere"] as const)
      .map((key) => files.reduce((sum, file) => sum + file[key].length, 0));
    const texts = shares.map((share) => Number.isNaN(share) ? "-" : share.toFixed(3));
    return [name, ...texts, ...counts.map(String)];
  };
  return [
    [
      "file",
      "precision",
      "strict",
      "recall",
      "full",
      "caused",
      "all caused",
      "agreed",
      "false",
      "uncounted",
      "missed",
      "elsewhere",
    ],
    ...comparisons.map((comparison) => row(comparison.file, [comparison])),
    row("all", comparisons),
  ];
}

function kindTable(comparisons: readonly FileComparison[]): Table {
  const counts = new Map<string, { missed: number; claimed: number }>();
  for (const { source, misses, falseClaims } of comparisons) {
    for (const line of misses) countOf(source, line).missed++;
    for (const line of falseClaims) countOf(source, line).claimed++;
  }
  function countOf(source: readonly string[], line: number): { missed: number; claimed: number } {
    const kind = lineKind(source[line - 1] ?? "");
    let count = counts.get(kind);
    if (count === undefined) counts.set(kind, count = { missed: 0, claimed: 0 });
    return count;
  }
  const rows = [...counts].sort(([, a], [, b]) => b.missed - a.missed);
  return [
    ["kind", "missed", "false"],
    ...rows.map(([kind, { missed, claimed }]) => [kind, String(missed), String(claimed)]),
  ];
}

function printLines({ file, source, falseClaims, uncounted, misses }: FileComparison): void {
  const groups = Object.entries({ false: falseClaims, uncounted, missed: misses });
  for (const [what, lines] of groups) {
    for (const line of lines) {
      const text = source[line - 1] ?? "";
      console.log(`${what} ${file}:${line}: ${lineKind(text)}: ${text.trim()}`);
    }
  }
}
