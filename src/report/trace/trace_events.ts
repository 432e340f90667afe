import type { CallNode } from "../../coverage/trace/call_tree.ts";
import { entryText, type TraceView } from "./trace_view.ts";

/** Process and thread of all events: the order is one thread's. */
const PLACE = { pid: 1, tid: 1 } as const;
const METADATA = { cat: "__metadata", ph: "M", ts: 0, ...PLACE } as const;
/** Bytes of text that are given out at once. */
const PIECE = 1 << 16;

/**
 * The calls of a trace as Chrome trace events, which Perfetto shows. KCOV has no times: an event begins at the number of
 * its first point and lasts as many microseconds as points ran in it.
 */
export function* traceEvents(view: TraceView): Generator<string> {
  const { label, notes, roots } = view;
  const about = {
    displayTimeUnit: "ns",
    otherData: {
      axis: "order of coverage points: 1 µs is one point. KCOV has no times",
      notes: notes.join("; "),
    },
  };
  const names = [
    { name: "process_name", ...METADATA, args: { name: label } },
    { name: "thread_name", ...METADATA, args: { name: "order of points, not time" } },
  ];
  let piece = `${JSON.stringify(about).slice(0, -1)},"traceEvents":[\n${
    names.map((event) => JSON.stringify(event)).join(",\n")
  }`;
  for (const root of roots) {
    const { start, end } = root;
    const entry = {
      name: entryText(view, root),
      cat: "entry",
      ph: "X",
      ts: start,
      dur: end - start,
    };
    piece += `,\n${JSON.stringify({ ...entry, ...PLACE })}`;
    for (const event of eventsOf(view, root)) {
      piece += `,\n${JSON.stringify(event)}`;
      if (piece.length < PIECE) continue;
      yield piece;
      piece = "";
    }
  }
  yield `${piece}\n]}\n`;
}

/** A call, then those that it made. */
function* eventsOf(view: TraceView, root: CallNode): Generator<unknown> {
  const { trace } = view;
  // Not a recursion: a generator for each level is slow, and stacks can be deep.
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const { start, end, hits, evidence, callers } = node;
    const source = trace.sourceOf(node);
    yield {
      name: trace.nameOf(node),
      cat: "call",
      ph: "X",
      ts: start,
      dur: end - start,
      ...PLACE,
      args: {
        ...(source === undefined ? {} : { source: `${source.file}:${source.line}` }),
        points: hits,
        evidence,
        ...(callers.length === 0 ? {} : { callers: callers.map((one) => trace.symbolOf(one)) }),
      },
    };
    for (let at = node.children.length - 1; at >= 0; at--) waiting.push(node.children[at]);
  }
}
