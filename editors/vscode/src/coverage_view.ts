import type * as vscode from "vscode";
import type { TestItems } from "./test_items.ts";
import {
  linesOf,
  type ReportedFile,
  type ReportedFunction,
  type ReportedTest,
  type RunReport,
} from "./run_report.ts";

/** Beyond every line's end: the editor cuts it off there. */
const LINE_END = 10_000;

/** Coverage of a run in the editor's own coverage view, for all tests and for each. */
export class CoverageView {
  readonly #paths = new WeakMap<vscode.FileCoverage, string>();

  constructor(
    private readonly api: typeof vscode,
    private readonly items: TestItems,
  ) {}

  /** Adds the files that a run hit to a run of the editor's; of one test, what that test hit. */
  show(run: vscode.TestRun, report: RunReport, only?: ReportedTest): void {
    for (const file of report.files.values()) {
      const tests = only === undefined ? report.testsIn(file.path) : [only];
      if (tests.every(({ files }) => files[file.path] === undefined)) continue;
      const coverage = this.#summary(file, tests, only);
      this.#paths.set(coverage, file.path);
      run.addCoverage(coverage);
    }
  }

  /** All lines and functions of a file that have coverage points. */
  details(
    report: RunReport,
    coverage: vscode.FileCoverage,
    only?: ReportedTest,
  ): vscode.FileCoverageDetail[] {
    const file = report.files.get(this.#paths.get(coverage) ?? "");
    if (file === undefined) return [];
    if (only !== undefined) return this.detailsOf(report, coverage, only);
    const { line, count } = file.lineColumns;
    return [
      ...line.map((number, i) => this.#statement(number, count[i]!)),
      ...file.functionTable.map((entry) => this.#declaration(entry, entry.hit)),
    ];
  }

  /** The lines and functions of a file that a test hit. */
  detailsOf(
    report: RunReport,
    coverage: vscode.FileCoverage,
    test: ReportedTest,
  ): vscode.FileCoverageDetail[] {
    const file = report.files.get(this.#paths.get(coverage) ?? "");
    if (file === undefined) return [];
    const lines = new Set(linesOf(test, file.path));
    const hit = file.functionTable.filter(({ line, lastLine }) =>
      [...lines].some((number) => line <= number && number <= lastLine)
    );
    return [
      ...[...lines].map((number) => this.#statement(number, 1)),
      ...hit.map((entry) => this.#declaration(entry, true)),
    ];
  }

  #summary(
    file: ReportedFile,
    tests: readonly ReportedTest[],
    only: ReportedTest | undefined,
  ): vscode.FileCoverage {
    const { FileCoverage, TestCoverageCount, Uri } = this.api;
    const { count } = file.lineColumns;
    const hitLines = only === undefined
      ? count.filter((times) => times > 0).length
      : linesOf(only, file.path).length;
    const lines = new TestCoverageCount(hitLines, count.length);
    const hit = file.functionTable.filter((entry) => entry.hit).length;
    const functions = only === undefined && file.functionTable.length > 0
      ? new TestCoverageCount(hit, file.functionTable.length)
      : undefined;
    const items = new Set(
      tests.map((test) => this.items.of(test)).filter((item) => item !== undefined),
    );
    return new FileCoverage(Uri.file(file.path), lines, undefined, functions, [...items]);
  }

  #statement(line: number, count: number): vscode.StatementCoverage {
    const range = new this.api.Range(line - 1, 0, line - 1, LINE_END);
    return new this.api.StatementCoverage(count, range);
  }

  /** At its first line alone: the editor would colour lines without coverage points of its range too. */
  #declaration({ name, line }: ReportedFunction, hit: boolean): vscode.DeclarationCoverage {
    return new this.api.DeclarationCoverage(name, hit, new this.api.Position(line - 1, 0));
  }
}
