/**
 * What a store of many tests costs: made-up tests that are fitted to those of the examples, on the real image of an
 * embedded kernel. Prints, for each number of tests, bytes of a test, the rates of writing and merging, memory, and what
 * questions take with each driver, each in a process of its own; and a table of all, as docs/store.md has it.
 *
 * Usage: `npm run bench -- store`; with other numbers of tests, and of points of each, `deno run -A scripts/bench/store.ts
 * 1000 1000000x100`.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { readManifest } from "../../src/store/store_folder.ts";
import { isQuick, noteRow } from "./bench_row.ts";
import type { AskFigures, WriteFigures } from "./store/measure.ts";

/** Points of a test on average that are asked for; those of small tests are made fewer by what repeats in them. */
const POINTS = 1320;
const DEFAULT_SCALES = isQuick() ? ["1000"] : ["1000", "10000", "100000"];

const scales = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "kernelcov-store-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
process.on("SIGINT", () => process.exit(130));

const root = join(import.meta.dirname!, "../..");
const run = join(folder, "examples");
execFileSync(
  join(root, "src/cli/kernelcov"),
  [
    "test",
    "--kernel",
    "embedded",
    "--out",
    run,
    "--",
    "deno",
    "test",
    "-A",
    "--no-check",
    "examples",
  ],
  { cwd: root, stdio: ["ignore", "ignore", "inherit"] },
);

/** Runs a part in a process of its own, whose last line is its figures. */
function measure<Figures>(...args: readonly string[]): Figures {
  const script = join(import.meta.dirname!, "store/measure.ts");
  const text = execFileSync(process.execPath, ["run", "-A", "--no-check", script, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(text.trim().split("\n").at(-1)!);
}

function rate({ rows, seconds, cpuSeconds }: WriteFigures): string {
  return `${millions(rows / seconds)} hits/s, ${seconds.toFixed(1)} s; of the CPUs ${
    millions(rows / cpuSeconds)
  } hits/s, ${cpuSeconds.toFixed(1)} s`;
}

function millions(value: number): string {
  return `${(value / 1e6).toFixed(1)} M`;
}

/** By row of the table, a cell for each scale. */
const table = new Map<string, string[]>();

function note(row: string, cell: string): void {
  const cells = table.get(row);
  if (cells === undefined) table.set(row, [cell]);
  else cells.push(cell);
}

/** The median by the clock, in milliseconds. */
function median(values: readonly (readonly [number, number])[]): number {
  return values.map(([clock]) => clock).sort((a, b) => a - b)[values.length >> 1]!;
}

function formatMs(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function milliseconds(values: readonly (readonly [number, number])[]): string {
  const text = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
  const cpu = values.map(([, cpu]) => cpu).sort((a, b) => a - b);
  const clock = median(values), worst = Math.max(...values.map(([clock]) => clock));
  return `${text(clock)} ms (worst ${text(worst)}), of the CPUs ${text(cpu[cpu.length >> 1])} ms`;
}

for (const scale of scales.length > 0 ? scales : DEFAULT_SCALES) {
  const [tests, points = POINTS] = scale.split("x").map(Number) as [number, number?];
  const store = join(folder, `store${tests}`);
  const written = measure<WriteFigures>("write", store, run, String(tests), String(points));
  const segments = readManifest(store).segments.length;
  console.log(`${tests} tests, ${(written.rows / 1e6).toFixed(1)} M hits, ${written.model}`);
  console.log(
    `  write    ${rate(written)}, ${written.megabytes} MB of memory, ${segments} segments`,
  );
  const merged = measure<WriteFigures>("merge", store);
  console.log(`  merge    ${rate(merged)}, ${merged.megabytes} MB of memory`);
  const [{ bytes }] = readManifest(store).segments;
  console.log(
    `  on disk  ${(bytes / 1e6).toFixed(1)} MB: ${(bytes / tests).toFixed(0)} bytes of a test, ${
      (8 * bytes / written.rows).toFixed(1)
    } bits of a hit`,
  );
  note("tests (hits)", `${tests.toLocaleString("en")} (${millions(written.rows)})`);
  note("on disk; bytes of a test", `${(bytes / 1e6).toFixed(0)} MB; ${(bytes / tests).toFixed(0)}`);
  note("write, hits in a second", millions(written.rows / written.seconds));
  note("merge, hits in a second", millions(merged.rows / merged.seconds));
  note("memory of merging", `${merged.megabytes} MB`);
  noteRow({
    what: `${tests} tests written`,
    figure: `${millions(written.rows / written.seconds)} hits/s, ${written.megabytes} MB`,
    peer: "",
    ratio: "",
  });
  noteRow({
    what: `${tests} tests on disk`,
    figure: `${(bytes / tests).toFixed(0)} bytes of a test`,
    peer: "",
    ratio: "",
  });
  const byDriver = ["built-in", "duckdb"].map((driver) => {
    const asked = measure<AskFigures>("ask", store, run, driver);
    console.log(
      `  ${driver}: opens in ${asked.openMs.toFixed(0)} ms, ${asked.openMegabytes} MB of memory`,
    );
    note(
      `${driver}: open; memory`,
      `${(asked.openMs / 1000).toFixed(1)} s; ${asked.openMegabytes} MB`,
    );
    for (const [question, times] of Object.entries(asked.questions)) {
      const most = `${asked.megabytes[question]} MB by then`;
      console.log(`    ${question.padEnd(48)} ${milliseconds(times)}; ${most}`);
      note(`${driver}: ${question}`, formatMs(median(times)));
    }
    return asked.questions;
  });
  const [own, peer] = byDriver;
  for (const [question, times] of Object.entries(own!)) {
    const others = peer![question];
    const ms = median(times), peerMs = others === undefined ? undefined : median(others);
    noteRow({
      what: `${tests} tests, ${question}`,
      figure: `${ms.toFixed(1)} ms`,
      peer: peerMs === undefined ? "" : `duckdb ${peerMs.toFixed(1)} ms`,
      ratio: peerMs === undefined ? "" : (ms / peerMs).toFixed(2),
    });
  }
  rmSync(store, { recursive: true, force: true });
}
console.log();
for (const [at, [row, cells]] of [...table].entries()) {
  console.log(`| ${[row, ...cells].join(" | ")} |`);
  if (at === 0) console.log(`|${"---|".repeat(cells.length + 1)}`);
}
