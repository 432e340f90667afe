import type { CallEvidence, CallNode } from "../../coverage/trace/call_tree.ts";
import {
  type Repeated,
  type RepeatedCall,
  repeatedCalls,
} from "../../coverage/trace/repeated_calls.ts";
import {
  formatCount,
  paint,
  PLAIN_STYLE,
  plural,
  printable,
  type TextStyle,
} from "../text_style.ts";
import { entryText, type TraceView } from "./trace_view.ts";

/** How the calls of a trace are shown. */
export interface TraceTextOptions {
  /** No call below that many others is shown. */
  readonly depth?: number;
  /** Whether inlined functions of headers are named too, as helpers mostly are. */
  readonly inlined?: boolean;
  readonly style?: TextStyle;
}

/** What marks a call, and what the mark means. */
const MARKS: Readonly<Record<Exclude<CallEvidence, "call">, readonly [string, string]>> = {
  pointer: ["~", "called through a pointer"],
  ambiguous: ["?", "one of several on the stack can have called it"],
  none: ["!", "nothing on the stack calls it: an interrupt, or code that was patched"],
  middle: ["…", "its beginning was not seen"],
};
const NO_POINTS = ["·", "has no coverage points: seen by what it called"] as const;
const ODD = ["#", "its points followed each other as the code does not have it"] as const;

/** The calls of a trace, under the system calls that they are of. */
export function traceText(view: TraceView, options: TraceTextOptions = {}): string {
  const { style = PLAIN_STYLE } = options;
  const { label, trace, notes, roots } = view;
  const text = new TraceText(view, { depth: Infinity, inlined: false, ...options, style });
  text.addAll(repeatedCalls(roots));
  return `${
    [
      paint(label, "bold", style),
      `  ${plural(trace.points, "point")} in order`,
      ...notes.map((note) => `  ${paint(note, "yellow", style)}`),
      ...text.lines,
      ...text.legend(),
    ].join("\n")
  }\n`;
}

class TraceText {
  readonly lines: string[] = [];
  readonly #view: TraceView;
  readonly #options: Required<TraceTextOptions>;
  readonly #marks = new Map<string, string>();
  #title: string | undefined;

  constructor(view: TraceView, options: Required<TraceTextOptions>) {
    this.#view = view;
    this.#options = options;
  }

  addAll(roots: readonly Repeated[]): void {
    for (const root of roots) {
      if (root.kind === "call") this.#addRoot(root, "  ");
      else {
        this.#title = undefined;
        this.lines.push(`${times(root.times)} of`);
        for (const call of root.calls) this.#addRoot(call, "    ");
        this.#title = undefined;
      }
    }
  }

  legend(): string[] {
    if (this.#marks.size === 0) return [];
    return ["", ...[...this.#marks].map(([mark, meaning]) => `${mark} ${meaning}`)];
  }

  #addRoot(call: RepeatedCall, indent: string): void {
    const title = entryText(this.#view, call.node);
    if (title !== this.#title || call.node.children.length > 0) {
      this.lines.push(indent.slice(2) + paint(printable(title), "bold", this.#options.style));
    }
    this.#title = title;
    this.#add(call, indent, 1);
  }

  #add(repeated: Repeated, indent: string, depth: number): void {
    if (repeated.kind === "group") {
      this.lines.push(`${indent}${times(repeated.times)} of`);
      for (const call of repeated.calls) this.#add(call, `${indent}  `, depth);
      return;
    }
    this.lines.push(indent + this.#call(repeated, depth));
    if (depth >= this.#options.depth) return;
    for (const child of repeated.children) this.#add(child, `${indent}  `, depth + 1);
  }

  #call({ node, times: count, children }: RepeatedCall, depth: number): string {
    const { trace } = this.#view;
    const { style } = this.#options;
    const source = trace.sourceOf(node);
    const inlined = trace.inlinedIn(node)
      .filter(({ file }) => this.#options.inlined || !file.endsWith(".h"))
      .map(({ name }) => printable(name));
    return [
      this.#marksOf(node),
      printable(trace.nameOf(node)),
      count > 1 ? ` ${paint(times(count), "cyan", style)}` : "",
      source === undefined
        ? ""
        : `  ${paint(`${printable(source.file)}:${source.line}`, "dim", style)}`,
      inlined.length === 0 ? "" : `  ${paint(`(inlined: ${inlined.join(", ")})`, "dim", style)}`,
      node.callers.length === 0
        ? ""
        : `  (or by ${node.callers.map((fn) => printable(trace.symbolOf(fn))).join(", ")})`,
      depth >= this.#options.depth && children.length > 0
        ? `  +${plural(children.length, "call")}`
        : "",
    ].join("");
  }

  #marksOf({ evidence, hasPoints, odd }: CallNode): string {
    const marks = [
      ...evidence === "call" ? [] : [MARKS[evidence]],
      ...hasPoints ? [] : [NO_POINTS],
      ...odd > 0 ? [ODD] : [],
    ];
    for (const [mark, meaning] of marks) this.#marks.set(mark, meaning);
    return marks.length === 0 ? "" : `${marks.map(([mark]) => mark).join("")} `;
  }
}

function times(count: number): string {
  return `×${formatCount(count)}`;
}
