import { type Repeated, repeatedCalls } from "../../coverage/trace/repeated_calls.ts";
import { entryText, type TraceView } from "./trace_view.ts";

/** The calls of a trace for JSON: a tree, in which calls that are alike and follow each other are one. */
export function traceJson(view: TraceView): unknown {
  const { trace, notes, roots } = view;
  return {
    points: trace.points,
    unresolved: trace.unresolved,
    notes,
    entries: repeatedCalls(roots).map((root) => ({
      entry: root.kind === "call" ? entryText(view, root.node) : null,
      ...repeatedJson(view, root),
    })),
  };
}

function repeatedJson(view: TraceView, repeated: Repeated): Record<string, unknown> {
  if (repeated.kind === "group") {
    return {
      times: repeated.times,
      group: repeated.calls.map((call) => repeatedJson(view, call)),
    };
  }
  const { trace } = view;
  const { node, times, hits, children } = repeated;
  const { evidence, callers, hasPoints, odd, start, end } = node;
  return {
    function: trace.nameOf(node),
    ...trace.sourceOf(node),
    times,
    points: hits,
    start,
    end,
    evidence,
    ...(callers.length === 0 ? {} : { callers: callers.map((fn) => trace.symbolOf(fn)) }),
    ...(hasPoints ? {} : { hasPoints }),
    ...(odd === 0 ? {} : { odd }),
    inlined: trace.inlinedIn(node).map(({ name }) => name),
    children: children.map((child) => repeatedJson(view, child)),
  };
}
