import type { ComparedPair, ComparedPlace } from "../../coverage/comparisons/compared_places.ts";
import { formatAddress } from "../../base/address.ts";
import {
  formatCount,
  paint,
  PLAIN_STYLE,
  plural,
  printable,
  type TextStyle,
} from "../text_style.ts";

/** Pairs of a comparison that a line shows. */
const MOST_SHOWN = 4;

/** What was asked of which tests. */
export interface ComparisonsAnswer {
  /** The test, or how many they are. */
  readonly label: string;
  readonly places: readonly ComparedPlace[];
  /** Comparisons that found no room, as far as they were counted. */
  readonly lost: number;
  /** A buffer was full. */
  readonly truncated: boolean;
  /** Comparisons that are left out since none of their origins counts. */
  readonly leftOut: number;
  /** Name of a call that an origin has; `undefined` where none is known. */
  readonly callOf: (origin: number) => string | undefined;
}

/** Comparisons as text: by line, what was compared with what, and which operands were never equal. */
export function comparisonsText(answer: ComparisonsAnswer, style: TextStyle): string {
  const { label, places, lost, truncated, leftOut } = answer;
  const never = places.filter(({ equal }) => equal === 0).length;
  const head = `${paint(printable(label), "bold", style)}: ${
    plural(places.length, "comparison")
  }, of which ${formatCount(never)} never met equal operands`;
  const notes = [
    ...lost > 0 ? [`${formatCount(lost)} more found no room`] : [],
    ...leftOut > 0
      ? [
        `left out: ${
          plural(leftOut, "comparison")
        } whose origins do not count: --include runtime,faults counts more`,
      ]
      : [],
    ...truncated ? ["The buffer was full, so more were made: set KERNELCOV_WORDS"] : [],
  ];
  const lines: string[] = [];
  let last = "";
  for (const group of byCode(places)) {
    const [{ frames, pc }] = group;
    const place = placeText(frames[0], pc);
    if (place !== last) lines.push(paint(printable(place), "cyan", style));
    last = place;
    lines.push(...group.length > 1 ? switchText(group, style) : [`  ${onePlace(group[0], style)}`]);
  }
  return [head, ...notes, ...lines, ""].join("\n");
}

/** A comparison, or a `switch` with its cases, in words. */
export interface ComparedRow {
  readonly line: number;
  readonly text: string;
  /** Its operands were never equal; of a `switch`, some case was never taken. */
  readonly never: boolean;
}

/** Comparisons by the line that they are at. */
export function comparedRows(places: readonly ComparedPlace[]): ComparedRow[] {
  return byCode(places).filter(([{ frames }]) => frames.length > 0).map((group) => ({
    line: group[0].frames[0].line,
    text: group.length > 1
      ? switchText(group, PLAIN_STYLE).map((text) => text.trim()).join("; ")
      : onePlace(group[0], PLAIN_STYLE),
    never: group.some(({ equal }) => equal === 0),
  }));
}

/** Comparisons of one PC together: those of a `switch` are several. */
function byCode(places: readonly ComparedPlace[]): ComparedPlace[][] {
  const groups: ComparedPlace[][] = [];
  for (const place of places) {
    const group = groups.at(-1);
    if (group?.[0].pc === place.pc && place.isCase) group.push(place);
    else groups.push([place]);
  }
  return groups;
}

function placeText(frame: ComparedPlace["frames"][number] | undefined, pc: number): string {
  if (frame === undefined) return `${formatAddress(pc)} (in no known image)`;
  return `${frame.file}:${frame.line} ${frame.function}`;
}

function onePlace(place: ComparedPlace, style: TextStyle): string {
  const { constant, size } = place;
  const what = constant === undefined ? "values" : `with ${operand(constant, size)}`;
  return `${what}, ${plural(size, "byte")}${outerText(place)}: ${timesText(place, style)}${
    pairsText(place)
  }`;
}

/** The function that the line is inlined in. */
function outerText({ frames }: ComparedPlace): string {
  return frames.length > 1 ? `, in ${printable(frames.at(-1)!.function)}` : "";
}

/** "14 times, never equal". */
function timesText({ times, equal, more }: ComparedPlace, style: TextStyle): string {
  const atLeast = more > 0 && equal > 0 ? "at least " : "";
  const met = equal === 0
    ? paint("never equal", "red", style)
    : equal === times
    ? paint("always equal", "green", style)
    : `equal ${atLeast}${formatCount(equal)}`;
  return `${plural(times, "time")}, ${met}`;
}

/** ": always 0x0", or what it met most often. */
function pairsText({ pairs, constant, more, equal, size }: ComparedPlace): string {
  const others = joined(pairs.filter(({ first, second }) => first !== second), constant, size);
  if (others.length === 0) return more > 0 ? `; ${formatCount(more)} more` : "";
  if (others.length === 1 && equal === 0 && more === 0) return `: always ${others[0][0]}`;
  const shown = others.slice(0, MOST_SHOWN).map(([text, times]) =>
    `${text} ×${formatCount(times)}`
  );
  const left = others.length - shown.length;
  const rest = left > 0 || more > 0
    ? `, and ${left > 0 ? formatCount(left) : ""}${left > 0 && more > 0 ? " others and " : ""}${
      more > 0 ? `${formatCount(more)} times pairs that are not kept` : " others"
    }`
    : "";
  return `: ${shown.join(", ")}${rest}`;
}

/** Operands with how often they were met, those of all calls together. */
function joined(
  pairs: readonly ComparedPair[],
  constant: bigint | undefined,
  size: number,
): [text: string, times: number][] {
  const sums = new Map<string, number>();
  for (const { first, second, times } of pairs) {
    const value = operand(second, size);
    const text = constant === undefined ? `${operand(first, size)} with ${value}` : value;
    sums.set(text, (sums.get(text) ?? 0) + times);
  }
  return [...sums].sort((a, b) => b[1] - a[1]);
}

function switchText(cases: readonly ComparedPlace[], style: TextStyle): string[] {
  const [{ size, times }] = cases;
  const taken = cases.filter(({ equal }) => equal > 0);
  const name = ({ constant }: ComparedPlace): string => operand(constant!, size);
  const never = cases.filter(({ equal }) => equal === 0).map(name);
  const met = taken.map((one) => `${name(one)} ×${formatCount(one.equal)}`);
  const other = times - taken.reduce((sum, { equal }) => sum + equal, 0);
  return [
    `  switch, ${plural(size, "byte")}${outerText(cases[0])}: ${plural(times, "time")}`,
    ...met.length > 0 ? [`    taken: ${met.join(", ")}`] : [],
    ...other > 0 ? [`    none of them ×${formatCount(other)}${valuesText(cases)}`] : [],
    ...never.length > 0 ? [`    ${paint(`never: ${never.join(", ")}`, "red", style)}`] : [],
  ];
}

/** The values that no case is for. */
function valuesText(cases: readonly ComparedPlace[]): string {
  const constants = new Set(cases.map(({ constant }) => constant));
  const [{ pairs, size }] = cases;
  const others = joined(pairs.filter(({ second }) => !constants.has(second)), 0n, size);
  if (others.length === 0) return "";
  return `: ${others.slice(0, MOST_SHOWN).map(([text]) => text).join(", ")}${
    others.length > MOST_SHOWN ? ", …" : ""
  }`;
}

/** An operand: `0x53 "S"` where it is a byte that stands for a character. */
function operand(value: bigint, size: number): string {
  const hex = `0x${value.toString(16)}`;
  const isText = size === 1 && value > 0x20n && value < 0x7fn;
  return isText ? `${hex} ${JSON.stringify(String.fromCharCode(Number(value)))}` : hex;
}
