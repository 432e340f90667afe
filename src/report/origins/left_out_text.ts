import { ORIGIN_CLASSES, type OriginClass } from "../../coverage/origin_class.ts";
import {
  type LeftOut,
  leftOutTotal,
  type OriginSelection,
} from "../../coverage/origin_selection.ts";
import type { RunCoverage } from "../../coverage/run_coverage.ts";
import { formatCount, plural } from "../text_style.ts";

/** Where points of each class ran. */
const CLASS_TEXT: Readonly<Record<OriginClass, string>> = {
  own: "in own calls",
  behalf: "on behalf",
  runtime: "in runtime threads",
  faults: "in page faults",
};

/** Says which points do not count for what made the kernel run them, and how they would; `undefined` where all do. */
export function leftOutText(
  { only, several }: LeftOut,
  { classes, calls, restricts }: OriginSelection,
): string | undefined {
  const total = leftOutTotal({ only, several });
  if (total === 0) return undefined;
  const missing = ORIGIN_CLASSES.filter((name) => !classes.includes(name));
  const counts = missing.filter((name) => only[name] > 0)
    .map((name): [number, string] => [only[name], CLASS_TEXT[name]]);
  if (several > 0) {
    const ways = counts.length === missing.length && missing.length === 2
      ? "in both"
      : missing.map((name) => CLASS_TEXT[name]).join(missing.length === 2 ? " and " : " or ");
    counts.push([several, counts.length > 0 && missing.length > 2 ? "in several of these" : ways]);
  }
  const parts = counts.map(([count, where], i) =>
    `${i === 0 ? plural(count, "point") : formatCount(count)} ${where}`
  );
  const what = `left out: ${parts.join(", ")}`;
  if (restricts) {
    return `${what}, by --origin ${[...classes, ...calls.map((call) => `call:${call}`)].join(",")}`;
  }
  const more = missing.filter((name) => only[name] > 0 || several > 0);
  return `${what}: --include ${more.join(",")} counts ${total === 1 ? "it" : "them"}`;
}

/** Says of how many tests it is not known what made the kernel run their points, where it is of others. */
export function originsUnknownText(coverage: RunCoverage): string | undefined {
  const { originsUnknown: unknown, selection, tests } = coverage;
  if (unknown === 0 || !tests.some(({ origins }) => origins !== undefined)) return undefined;
  return `system calls are not known of ${plural(unknown, "test")}: ${
    selection.restricts ? "left out" : unknown === 1 ? "it counts whole" : "they count whole"
  }`;
}
