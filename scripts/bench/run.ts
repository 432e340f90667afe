/**
 * Runs benchmarks and writes what they measured as one table in Markdown, on standard output and, with `--write`, in front of
 * the earlier ones in scripts/bench/history.md: after each benchmark, so that what was measured is kept where a later one is
 * stopped, and into the table of the day where there is one of the same machine and versions. With `--quick` those with
 * made-up runs make small ones. Arguments: names of benchmarks, all by default.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { VERSION } from "../../src/version.ts";
import { type BenchRow, QUICK_VARIABLE, rowOf, ROWS_VARIABLE } from "./bench_row.ts";

const folder = import.meta.dirname!;
const root = join(folder, "../..");
const HISTORY = join(folder, "history.md");
const PLACE = "<!-- newest first -->\n";

/** What a benchmark measured, and its exit status. */
interface Measured {
  readonly name: string;
  readonly rows: readonly BenchRow[];
  readonly status: number;
  readonly seconds: number;
}

/** Names of the benchmarks that there are. */
export function benchNames(): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".ts")).map((name) => name.slice(0, -3))
    .filter((name) => name !== "run" && name !== "bench_row").sort();
}

function runBench(name: string): Promise<Measured> {
  const start = performance.now();
  const rows: BenchRow[] = [];
  const command = ["run", "-A", "--no-check", join(folder, `${name}.ts`)];
  return new Promise((resolve) => {
    const child = spawn("deno", command, {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, [ROWS_VARIABLE]: "1" },
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      const row = rowOf(line);
      if (row === undefined) process.stderr.write(`${line}\n`);
      else rows.push(row);
    });
    child.on("error", (error) => process.stderr.write(`${error.message}\n`));
    child.on(
      "close",
      (status) =>
        resolve({ name, rows, status: status ?? 1, seconds: (performance.now() - start) / 1000 }),
    );
  });
}

/** A section in Markdown: the machine, then a table of all rows. */
export function benchSection(head: string, machine: string, measured: readonly Measured[]): string {
  const cells = measured.flatMap(({ name, rows, status, seconds }) => [
    ...rows.map(({ what, figure, peer, ratio }) => [name, what, figure, peer, ratio]),
    ...(status === 0 && rows.length > 0
      ? []
      : [[name, `ended with status ${status} after ${seconds.toFixed(0)} s`, "", "", ""]]),
  ]);
  const table = [["benchmark", "what", "kernelcov", "peer", "ratio"], [
    "---",
    "---",
    "---:",
    "---:",
    "---:",
  ], ...cells]
    .map((row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`).join("");
  return `## ${head}\n\n${machine}\n\n${table}`;
}

const HEAD_ROWS = /\| benchmark .*\n\| ---.*\n/;

/**
 * The history with a section in front of the earlier ones. Where the newest is of the same day, machine and versions, its rows
 * of other benchmarks are kept before the section's own, and the load is that of the section.
 */
export function withSection(history: string, section: string): string {
  const start = history.indexOf(PLACE) + PLACE.length;
  if (start < PLACE.length) throw new RangeError(`The history has no line ${PLACE.trim()}: add it`);
  const next = history.indexOf("\n## ", history.indexOf("\n## ", start) + 1);
  const newest = history.slice(start, next < 0 ? undefined : next).trim();
  const before = history.slice(0, start), older = next < 0 ? "" : history.slice(next);
  if (sameRun(newest) !== sameRun(section)) {
    return `${before}\n${section}${newest === "" ? "" : `\n${newest}\n`}${older}`;
  }
  const own = new Set(rowsOf(section).map(nameOf));
  const kept = rowsOf(newest).filter((row) => !own.has(nameOf(row)));
  const joined = section.replace(HEAD_ROWS, (head) => `${head}${kept.join("")}`);
  return `${before}\n${joined}${older}`;
}

/** Day, machine and versions of a section, without the load. */
function sameRun(section: string): string {
  return section.split("\n").slice(0, 3).join("\n").replace(/; load average .*/, "");
}

function rowsOf(section: string): string[] {
  const [, rows = ""] = section.split(HEAD_ROWS);
  return rows.match(/^\| .*\n?/gm)?.map((row) => `${row.trimEnd()}\n`) ?? [];
}

function nameOf(row: string): string {
  return row.split(" | ")[0]!;
}

function machineText(load: number): string {
  const [cpu] = cpus();
  const { deno, v8 } =
    (globalThis as unknown as { Deno: { version: Record<string, string> } }).Deno.version;
  return [
    `kernelcov ${VERSION}, Deno ${deno} (V8 ${v8}), Linux ${release()}`,
    `${cpus().length} × ${cpu?.model.trim() ?? "unknown processor"}, ${
      Math.round(totalmem() / 2 ** 30)
    } GB`,
    `load average ${load.toFixed(1)} before the first benchmark${
      load > 0.5 * cpus().length ? ": other work was running, so only the ratios say something" : ""
    }`,
  ].join("; ") + ".";
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  const quick = args.includes("--quick"), write = args.includes("--write");
  const asked = args.filter((argument) => argument !== "--write" && argument !== "--quick");
  const unknown = asked.find((name) => !benchNames().includes(name));
  if (unknown !== undefined) {
    console.error(`bench: no benchmark "${unknown}": ${benchNames().join(" ")}`);
    process.exit(2);
  }
  if (quick) process.env[QUICK_VARIABLE] = "1";
  const [load] = loadavg();
  const machine = machineText(load!);
  const head = new Date().toISOString().slice(0, 10) + (quick ? ", small" : "");
  const history = write && existsSync(HISTORY) ? readFileSync(HISTORY, "utf8") : undefined;
  const measured: Measured[] = [];
  for (const name of asked.length > 0 ? asked : benchNames()) {
    process.stderr.write(`\n== ${name}\n`);
    const one = await runBench(name);
    measured.push(one);
    process.stderr.write(`${name}: ${one.rows.length} rows, ${one.seconds.toFixed(0)} s\n`);
    if (history === undefined) continue;
    writeFileSync(HISTORY, withSection(history, benchSection(head, machine, measured)));
  }
  console.log(benchSection(head, machine, measured));
  process.exitCode = measured.some(({ status, rows }) => status !== 0 || rows.length === 0) ? 1 : 0;
}
