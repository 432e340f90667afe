import { overlap } from "../coverage/point_sets.ts";
import type { RunCoverage } from "../coverage/run_coverage.ts";
import type { RepeatGroup } from "../coverage/test_repeats.ts";
import { testReference } from "./answer_json.ts";
import { columns } from "./answer_text.ts";
import { testLabel } from "./test_label.ts";
import { paint, PLAIN_STYLE, plural, printable, type TextStyle } from "./text_style.ts";

/** A point that some repeats of a test hit and some did not. */
export interface FlakyPoint {
  readonly point: number;
  /** How many repeats hit it. */
  readonly hit: number;
}

/** The points of a test that come and go between its repeats, ascending. */
export function flakyPoints(coverage: RunCoverage, { tests, flaky }: RepeatGroup): FlakyPoint[] {
  return [...flaky].map((point) => ({
    point,
    hit: tests.filter((test) => hasPoint(coverage.tests[test].points.points, point)).length,
  }));
}

function hasPoint(points: Uint32Array, point: number): boolean {
  return overlap(points, Uint32Array.of(point)) === 1;
}

/** Where each flaky point is, innermost function first, and how many repeats hit it. */
export function flakyText(
  coverage: RunCoverage,
  group: RepeatGroup,
  style: TextStyle = PLAIN_STYLE,
): string {
  const flaky = flakyPoints(coverage, group);
  const of = group.tests.length;
  return [
    paint(
      `${testLabel(coverage, group.tests[0])}: ${plural(flaky.length, "flaky point")} in ${
        plural(of, "repeat")
      }`,
      "bold",
      style,
    ),
    ...columns(flaky.map(({ point, hit }) => {
      const { place, function: name } = placeOf(coverage, point);
      return [printable(`${place} ${name}`), `${hit} of ${of}`];
    })),
  ].map((line) => `${line}\n`).join("");
}

/** Flaky points, for JSON. */
export function flakyJson(coverage: RunCoverage, group: RepeatGroup): unknown {
  return {
    ...testReference(coverage, group.tests[0]),
    repeats: group.tests.length,
    flaky: flakyPoints(coverage, group).map(({ point, hit }) => ({
      ...placeOf(coverage, point),
      hit,
    })),
  };
}

function placeOf(
  { universe: { image } }: RunCoverage,
  point: number,
): { place: string; function: string } {
  const frame = image.frameStart[point];
  if (frame === image.frameStart[point + 1]) return { place: "?", function: "?" };
  const f = image.frameFunction[frame];
  return {
    place: `${image.files[image.frameFile[frame]] ?? "?"}:${image.frameLine[frame]}`,
    function: image.functionName[f] ?? "?",
  };
}
