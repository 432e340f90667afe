import process from "node:process";

/** One figure of a benchmark, and its peer's from the same run; `""` where there is none. */
export interface BenchRow {
  readonly what: string;
  readonly figure: string;
  readonly peer: string;
  /** The figure in terms of the peer's. */
  readonly ratio: string;
}

const MARK = "@row ";
/** Set by `scripts/bench/run.ts`, for what it starts and for guests. */
export const ROWS_VARIABLE = "KERNELCOV_BENCH_ROWS";
/** Set where `--quick` is: benchmarks of made-up runs then make small ones. */
export const QUICK_VARIABLE = "KERNELCOV_BENCH_QUICK";

/** Whether a benchmark is to take little time: its figures are of less, and its rows say of how much. */
export function isQuick(): boolean {
  return process.env[QUICK_VARIABLE] !== undefined;
}

/** Tells the program that runs all benchmarks of a row, on standard output; nothing where none listens. */
export function noteRow(row: BenchRow): void {
  if (process.env[ROWS_VARIABLE] !== undefined) console.log(`${MARK}${JSON.stringify(row)}`);
}

/** The row of a line of output; `undefined` for other lines. */
export function rowOf(line: string): BenchRow | undefined {
  return line.startsWith(MARK) ? JSON.parse(line.slice(MARK.length)) : undefined;
}
