/** A test, as the JSON report of kernelcov has it. */
export interface ReportedTest {
  readonly name: string;
  readonly file: string;
  readonly runner?: string;
  readonly outcome: string;
  readonly durationMs: number;
  readonly kind: string;
  /** Lines that it hit, as ranges such as `1-5,8`, by the path of the file. */
  readonly files: Readonly<Record<string, string>>;
}

/** A function of a file. */
export interface ReportedFunction {
  readonly name: string;
  readonly line: number;
  readonly lastLine: number;
  readonly hit: boolean;
}

/** A file of the kernel's sources, with all lines that have coverage points. */
export interface ReportedFile {
  readonly path: string;
  readonly lineColumns: { readonly line: readonly number[]; readonly count: readonly number[] };
  readonly functionTable: readonly ReportedFunction[];
}

/** The JSON report, as far as it is read here. */
export interface ReportJson {
  readonly format: string;
  readonly version: number;
  readonly tests: readonly ReportedTest[];
  readonly files: readonly ReportedFile[];
}

/** A run's coverage, asked by file and line. */
export class RunReport {
  readonly tests: readonly ReportedTest[];
  readonly files: ReadonlyMap<string, ReportedFile>;

  /** @throws {TypeError} It is no report of a version that is known here. */
  constructor({ format, version, tests, files }: ReportJson) {
    if (format !== "kernelcov" || version !== 1) {
      throw new TypeError(
        `The report is ${format} of version ${version}: take the extension of the same kernelcov`,
      );
    }
    this.tests = joinRepeats(tests.filter(({ kind }) => kind === "test" || kind === "command"));
    this.files = new Map(files.map((file) => [file.path, file]));
  }

  /** The tests that hit one of the lines `first` to `last` of a file, those that hit the fewest files first. */
  testsOf(path: string, first: number, last = first): ReportedTest[] {
    return this.tests.filter((test) => hasLine(test.files[path], first, last))
      .sort((a, b) => Object.keys(a.files).length - Object.keys(b.files).length);
  }

  /** The tests that hit a line of a file. */
  testsIn(path: string): ReportedTest[] {
    return this.tests.filter(({ files }) => files[path] !== undefined);
  }
}

/** Name, file and runner tell tests apart. */
export function keyOf({ name, file, runner }: ReportedTest): string {
  return JSON.stringify([file, name, runner ?? ""]);
}

/** The tests, each with what all of its repeats hit; one of which a repeat did not pass has not passed. */
function joinRepeats(tests: readonly ReportedTest[]): ReportedTest[] {
  const joined = new Map<string, ReportedTest>();
  for (const test of tests) {
    const first = joined.get(keyOf(test));
    if (first === undefined) {
      joined.set(keyOf(test), test);
      continue;
    }
    const files = { ...first.files };
    for (const [path, ranges] of Object.entries(test.files)) {
      files[path] = files[path] === undefined ? ranges : `${files[path]},${ranges}`;
    }
    const { outcome } = first.outcome === "passed" ? test : first;
    joined.set(keyOf(test), { ...first, files, outcome });
  }
  return [...joined.values()];
}

/** The numbers of lines that a test hit in a file, ascending. */
export function linesOf(test: ReportedTest, path: string): number[] {
  const lines = rangesOf(test.files[path]).flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, i) => first + i)
  );
  return [...new Set(lines)].sort((a, b) => a - b);
}

function hasLine(ranges: string | undefined, first: number, last: number): boolean {
  return rangesOf(ranges).some(([from, to]) => from <= last && first <= to);
}

function rangesOf(text: string | undefined): [number, number][] {
  if (text === undefined || text === "") return [];
  return text.split(",").map((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return [first!, last!];
  });
}
