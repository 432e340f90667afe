/** A made-up kernel and run of the size of a real one, for benchmarks: the same for the same sizes. */
import type { TestRecord } from "../../../src/record/test_record.ts";
import type { CoverageImage } from "../../../src/coverage/coverage_image.ts";

/** Sizes of a made-up kernel. */
export interface KernelSizes {
  readonly files: number;
  /** Lines that can be covered. */
  readonly lines: number;
  readonly points: number;
  /** Lines of source per line that can be covered. */
  readonly sourceFactor: number;
}

/** A generator of numbers from 0 up to, not including, 1. */
export type Random = () => number;

/** A small generator of numbers (mulberry32): the same ones in every runtime. */
export function randomNumbers(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

const FOLDERS = ["fs", "mm", "kernel", "net/ipv4", "net/core", "drivers/net", "block", "lib"];
/** Lines of a function that can be covered, and points of it, are at most twice this many. */
const FUNCTION_LINES = 8;

/** An index with files of very different lengths, as in a kernel: the largest has some hundred times the lines of the median. */
export function madeUpKernel(sizes: KernelSizes): CoverageImage {
  const random = randomNumbers(1);
  const weights = Array.from({ length: sizes.files }, (_, file) => 1 / (file + 12) + 0.0006);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const files: string[] = [];
  const lineFile: number[] = [], lineNumber: number[] = [];
  const functionName: string[] = [], functionFile: number[] = [];
  const functionLine: number[] = [], functionEndLine: number[] = [];
  const pointFunction: number[] = [], pointLine: number[] = [];
  const pointsPerLine = sizes.points / sizes.lines;
  for (let file = 0; file < sizes.files; file++) {
    const folder = FOLDERS[file % FOLDERS.length];
    files.push(`${folder}/part${file >> 5}/file${file}.c`);
    const last = lineNumber.length + Math.max(2, Math.round(sizes.lines * weights[file] / total));
    let number = 0;
    while (lineNumber.length < last) {
      number += 2 + Math.floor(random() * 2 * sizes.sourceFactor * 3);
      functionName.push(`part${file}_do_${functionName.length}`);
      functionFile.push(file);
      functionLine.push(number);
      const count = Math.min(
        last - lineNumber.length,
        2 + Math.floor(random() * 2 * FUNCTION_LINES),
      );
      for (let i = 0; i < count; i++) {
        lineFile.push(file);
        lineNumber.push(number);
        let points = Math.floor(pointsPerLine) + (random() < pointsPerLine % 1 ? 1 : 0);
        if (i === 0) points = Math.max(1, points);
        for (let p = 0; p < points; p++) {
          pointFunction.push(functionName.length - 1);
          pointLine.push(lineNumber.length - 1);
        }
        number += 1 + Math.floor(random() * 2 * (sizes.sourceFactor - 1) * 0.6);
      }
      functionEndLine.push(number);
    }
  }
  return {
    buildId: "00".repeat(20),
    machine: "x86-64",
    base: 0x6000_0000,
    callLength: 5,
    pointOffset: Uint32Array.from(pointLine, (_, point) => 16 * point),
    allPointOffsets: Int32Array.from(pointLine, (_, point) => 16 * point),
    pointUnknown: new Uint8Array(pointLine.length),
    frameStart: Uint32Array.from({ length: pointLine.length + 1 }, (_, point) => point),
    frameFunction: Uint32Array.from(pointFunction),
    frameFile: Uint32Array.from(pointLine, (line) => lineFile[line]),
    frameLine: Uint32Array.from(pointLine, (line) => lineNumber[line]),
    ...claims(pointLine, pointFunction, lineNumber.length),
    lineFile: Uint32Array.from(lineFile),
    lineNumber: Uint32Array.from(lineNumber),
    functionName,
    functionFile: Uint32Array.from(functionFile),
    functionLine: Uint32Array.from(functionLine),
    functionEndLine: Uint32Array.from(functionEndLine),
    files,
    problems: [],
  };
}

/** A point claims its line and those up to the next point's, so that no line is without a point. */
function claims(
  pointLine: readonly number[],
  pointFunction: readonly number[],
  lines: number,
): Pick<CoverageImage, "claimStart" | "claimLine"> {
  const claimLine: number[] = [];
  const claimStart = new Uint32Array(pointLine.length + 1);
  for (let point = 0; point < pointLine.length; point++) {
    const next = pointFunction[point + 1] === pointFunction[point]
      ? pointLine[point + 1]
      : nextFunctionLine(pointLine, point, lines);
    claimLine.push(pointLine[point]);
    for (let line = pointLine[point] + 1; line < next; line++) claimLine.push(line);
    claimStart[point + 1] = claimLine.length;
  }
  return { claimStart, claimLine: Uint32Array.from(claimLine) };
}

function nextFunctionLine(pointLine: readonly number[], point: number, lines: number): number {
  return point + 1 < pointLine.length ? pointLine[point + 1] : lines;
}

/** The source of a made-up file, `length` lines of C. */
export function madeUpSource(path: string, length: number): string {
  const random = randomNumbers(path.length * 7919 + length);
  const lines = ["// SPDX-License-Identifier: GPL-2.0", `/* ${path}: made up */`];
  while (lines.length < length) {
    const value = Math.floor(random() * 1000);
    lines.push(SHAPES[value % SHAPES.length].replaceAll("#", String(value)));
  }
  return `${lines.slice(0, length).join("\n")}\n`;
}

const SHAPES = [
  "\tif (unlikely(!entry || entry->state != STATE_READY_#))",
  "\t\treturn -EINVAL;",
  "",
  "\tspin_lock_irqsave(&queue->lock, flags); /* taken in order # */",
  "static int part_do_#(struct request *request, unsigned int flags)",
  '\tpr_debug("state %d of %s: 0x%x\\n", state, name, 0x#);',
  "\tfor (index = 0; index < ARRAY_SIZE(table_#); index++) {",
  "\t * The caller holds the lock, see the comment above (#).",
  "\t}",
  "#define LIMIT_OF_PART_# (PAGE_SIZE - 1)",
];

/**
 * Records of made-up tests as tests of one kernel are: most of their points are of a core that all enter with
 * variations (system call entry, the scheduler, memory), the rest of one subsystem.
 */
export function madeUpRecords(
  index: CoverageImage,
  tests: number,
  pointsPerTest: number,
): TestRecord[] {
  const random = randomNumbers(2);
  const points = index.pointOffset.length;
  const core = Math.min(points, Math.floor(pointsPerTest * 1.5));
  return Array.from({ length: tests }, (_, test) => {
    const hit = new Set<number>();
    // Runs of points, as code goes; the core lies in the largest files.
    const coreWanted = Math.floor(pointsPerTest * 0.85);
    while (hit.size < coreWanted) addRun(hit, Math.floor(random() * core), core, random);
    const subsystem = core + Math.floor(random() * 200) / 200 * (points - core);
    const width = Math.floor((points - core) / 200);
    const tries = pointsPerTest - coreWanted;
    for (let i = 0; i < tries; i += 6) {
      addRun(hit, Math.floor(subsystem + random() ** 2 * width), points, random);
    }
    const sorted = Float64Array.from(hit).sort();
    return {
      name: `subsystem ${test % 200} > case ${test}: reads & writes <${test % 7}>`,
      file: `tests/subsystem_${test % 200}_test.ts`,
      outcome: test % 97 === 0 ? "failed" : "passed",
      durationMs: random() * 300,
      scope: "thread",
      pcs: sorted.map((point) => index.base + index.pointOffset[point] + index.callLength),
      hits: null,
      truncated: test % 501 === 0,
      shared: false,
      callingThreadOnly: false,
    };
  });
}

function addRun(hit: Set<number>, from: number, end: number, random: Random): void {
  const to = Math.min(end, from + 1 + Math.floor(random() * 12));
  for (let point = from; point < to; point++) hit.add(point);
}

/** Calls that a made-up test makes, and ways in which what they put off runs. */
const CALLS = 12;
const HOWS = [0, 0, 0, 0, 0, 3, 4, 5];

/** A made-up record as a collector makes it: stretches of its points ran from one to three of its calls. */
export function withMadeUpOrigins(record: TestRecord, random: Random): TestRecord {
  const kinds = Array.from(
    { length: CALLS },
    () => HOWS[Math.floor(random() * HOWS.length)] << 12 | Math.floor(random() * 300),
  );
  const points = new Map(kinds.map((origin): [number, number[]] => [origin, []]));
  for (let from = 0, to: number; from < record.pcs.length; from = to) {
    to = Math.min(record.pcs.length, from + 1 + Math.floor(random() * 12));
    const own = new Set(
      Array.from(
        { length: 1 + Math.floor(random() * 3) },
        () => kinds[Math.floor(random() * CALLS)],
      ),
    );
    for (const origin of own) for (let p = from; p < to; p++) points.get(origin)!.push(p);
  }
  return {
    ...record,
    origins: [...points].filter(([, own]) => own.length > 0)
      .map(([origin, own]) => ({ origin, points: Uint32Array.from(own) })),
  };
}
