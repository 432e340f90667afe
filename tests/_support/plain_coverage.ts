import type { TestRecord } from "../../src/record/test_record.ts";
import type { CoverageImage } from "../../src/coverage/coverage_image.ts";

/** `file:line` of every line a record hit, found the slow and obvious way, for tests to compare with. */
export function plainLines(index: CoverageImage, record: TestRecord): Set<string> {
  const lines = new Set<string>();
  for (const point of plainPoints(index, record)) {
    for (let c = index.claimStart[point]!; c < index.claimStart[point + 1]!; c++) {
      const line = index.claimLine[c]!;
      lines.add(`${index.files[index.lineFile[line]!]}:${index.lineNumber[line]}`);
    }
  }
  return lines;
}

/** The points that a record hit, found the slow and obvious way. */
export function plainPoints(index: CoverageImage, record: TestRecord): Set<number> {
  const byPc = new Map<number, number>();
  index.pointOffset.forEach((offset, point) => {
    if (index.pointUnknown[point] === 0) byPc.set(index.base + offset + index.callLength, point);
  });
  const points = new Set<number>();
  for (const pc of record.pcs) {
    const point = byPc.get(pc);
    if (point !== undefined) points.add(point);
  }
  return points;
}
