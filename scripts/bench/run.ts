/**
 * Runs benchmarks and writes what they measured as one table in Markdown, on standard output and, with `--write`, in front of
 * the earlier ones in scripts/bench/history.md. Arguments: names of benchmarks, all by default.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { VERSION } from "../../src/version.ts";
import { type BenchRow, rowOf, ROWS_VARIABLE } from "./bench_row.ts";

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
    ...(status === 0
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
  const asked = process.argv.slice(2).filter((argument) => argument !== "--write");
  const unknown = asked.find((name) => !benchNames().includes(name));
  if (unknown !== undefined) {
    console.error(`bench: no benchmark "${unknown}": ${benchNames().join(" ")}`);
    process.exit(2);
  }
  const [load] = loadavg();
  const measured: Measured[] = [];
  for (const name of asked.length > 0 ? asked : benchNames()) {
    process.stderr.write(`\n== ${name}\n`);
    measured.push(await runBench(name));
  }
  const section = benchSection(new Date().toISOString().slice(0, 10), machineText(load!), measured);
  console.log(section);
  if (process.argv.includes("--write") && existsSync(HISTORY)) {
    const text = readFileSync(HISTORY, "utf8");
    writeFileSync(HISTORY, text.replace(PLACE, `${PLACE}\n${section}`));
  }
  process.exitCode = measured.some(({ status }) => status !== 0) ? 1 : 0;
}
