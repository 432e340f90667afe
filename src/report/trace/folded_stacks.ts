import type { CallNode } from "../../coverage/trace/call_tree.ts";
import { entryText, type TraceView } from "./trace_view.ts";

/**
 * The calls of a trace as folded stacks, for flame graphs: a line for each stack, outermost first, with how many points
 * ran there.
 */
export function foldedStacks(view: TraceView): string {
  const { trace, roots } = view;
  const counts = new Map<string, number>();
  const waiting: [stack: string, node: CallNode][] = [];
  for (const root of roots) {
    waiting.push([frame(entryText(view, root)), root]);
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [outer, node] = next;
      const stack = `${outer};${frame(trace.nameOf(node))}`;
      if (node.hits > 0) counts.set(stack, (counts.get(stack) ?? 0) + node.hits);
      for (let at = node.children.length - 1; at >= 0; at--) {
        waiting.push([stack, node.children[at]]);
      }
    }
  }
  return [...counts].map(([stack, count]) => `${stack} ${count}\n`).join("");
}

/** Semicolons divide frames, and the last space the count. */
function frame(name: string): string {
  return name.replace(/[;\s]+/g, "_");
}
