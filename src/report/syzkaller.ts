import { type Address, formatAddress } from "../base/address.ts";
import type { RunCoverage } from "../coverage/run_coverage.ts";
import { type PathMode, sourcePath } from "./source_path.ts";
import { testTitle } from "./test_label.ts";

/** Which address of a coverage call is written: that after it, as KCOV records it, or that of the call itself. */
export type PcConvention = "return" | "call";

/**
 * The points that any test hit as syzkaller's raw coverage: one hexadecimal PC a line, ascending, as linked (no
 * relocation of the running kernel shows). By default the return addresses that KCOV gives.
 */
export function* syzkallerRawCover(
  coverage: RunCoverage,
  convention: PcConvention = "return",
): Generator<string> {
  const { image } = coverage.universe;
  const shift = convention === "return" ? image.callLength : 0;
  let text = "";
  for (let point = 0; point < coverage.pointTests.length; point++) {
    if (coverage.pointTests[point] === 0) continue;
    text += `${formatAddress(image.base + image.pointOffset[point] + shift)}\n`;
    if (text.length > 1 << 16) {
      yield text;
      text = "";
    }
  }
  yield text;
}

/** The column that syzkaller writes for the end of a line. */
const LINE_END = 2 ** 30;

/** One covered or uncovered point in syzkaller's coverage JSON lines. */
interface PointLine {
  readonly file_path: string;
  readonly func_name: string;
  readonly sl: number;
  readonly sc: number;
  readonly el: number;
  readonly ec: number;
  readonly hit_count: number;
  readonly inline: boolean;
  readonly pc: Address;
}

/**
 * Every point of the universe, hit or not, as syzkaller's coverage JSON lines: one object for each frame of a point.
 * Columns span the whole line: points have none.
 */
export function* syzkallerJsonLines(
  coverage: RunCoverage,
  options: { paths?: PathMode } = {},
): Generator<string> {
  const { image } = coverage.universe;
  const hits = pointHitCounts(coverage);
  for (let point = 0; point < image.pointOffset.length; point++) {
    if (image.pointUnknown[point] === 1) continue;
    let text = "";
    for (const line of pointLines(coverage, point, hits[point], options.paths ?? "relative")) {
      // Addresses pass 2^53 as unsigned numbers, so the JSON number is written from the exact bigint.
      const { pc, ...rest } = line;
      text += `${JSON.stringify(rest).slice(0, -1)},"pc":${BigInt.asUintN(64, BigInt(pc))}}\n`;
    }
    yield text;
  }
}

/**
 * Each test with the functions and blocks that it ran, one JSON object a line, as syzkaller's per-program coverage.
 *
 * @param commit Commit of the kernel's sources, where known.
 */
export function* syzkallerPrograms(
  coverage: RunCoverage,
  options: { paths?: PathMode; repo?: string; commit?: string } = {},
): Generator<string> {
  const paths = options.paths ?? "relative";
  for (let test = 0; test < coverage.tests.length; test++) {
    const { record, points } = coverage.tests[test];
    const title = testTitle(coverage, test);
    const files = new Map<string, Map<string, Record<string, number>[]>>();
    for (let i = 0; i < points.points.length; i++) {
      const hits = points.hits === null ? 1 : points.hits[i];
      for (const line of pointLines(coverage, points.points[i], hits, paths)) {
        let functions = files.get(line.file_path);
        if (functions === undefined) files.set(line.file_path, functions = new Map());
        let blocks = functions.get(line.func_name);
        if (blocks === undefined) functions.set(line.func_name, blocks = []);
        const { sl, sc, el, ec, hit_count } = line;
        blocks.push({ hit_count, from_line: sl, from_column: sc, to_line: el, to_column: ec });
      }
    }
    yield `${
      JSON.stringify({
        repo: options.repo ?? "",
        commit: options.commit ?? "",
        program: record.file === "" ? title : `${record.file}: ${title}`,
        coverage: [...files].map(([file_path, functions]) => ({
          file_path,
          functions: [...functions].map(([func_name, blocks]) => ({ func_name, blocks })),
        })),
      })
    }\n`;
  }
}

function* pointLines(
  { universe }: RunCoverage,
  point: number,
  hits: number,
  paths: PathMode,
): Generator<PointLine> {
  const { image } = universe;
  const end = image.frameStart[point + 1];
  for (let frame = image.frameStart[point]; frame < end; frame++) {
    const line = image.frameLine[frame];
    yield {
      file_path: sourcePath(image.files[image.frameFile[frame]], paths),
      func_name: image.functionName[image.frameFunction[frame]],
      sl: line,
      sc: 0,
      el: line,
      ec: LINE_END,
      hit_count: hits,
      inline: frame + 1 < end,
      pc: image.base + image.pointOffset[point] + image.callLength,
    };
  }
}

function pointHitCounts(coverage: RunCoverage): Float64Array {
  const counts = new Float64Array(coverage.pointTests.length);
  for (const { points } of coverage.tests) {
    points.points.forEach((point, i) => counts[point] += points.hits?.[i] ?? 1);
  }
  return counts;
}
