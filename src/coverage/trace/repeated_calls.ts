import type { CallNode } from "./call_tree.ts";

/** Calls that are alike and follow each other, as one. */
export interface RepeatedCall {
  readonly kind: "call";
  /** The first of them. */
  readonly node: CallNode;
  readonly times: number;
  /** How many points of their own they ran together. */
  readonly hits: number;
  readonly children: readonly Repeated[];
}

/** Several calls that follow each other again and again, as in a loop. */
export interface RepeatedGroup {
  readonly kind: "group";
  readonly times: number;
  readonly calls: readonly RepeatedCall[];
}

export type Repeated = RepeatedCall | RepeatedGroup;

/** A loop of more calls is not looked for. */
const LONGEST_LOOP = 12;

/** Puts calls together that are alike and follow each other: the same functions, called in the same way. */
export function repeatedCalls(nodes: readonly CallNode[]): Repeated[] {
  const kinds = new Map<string, number>();
  return foldedCalls(nodes, kinds).map(({ repeated }) => repeated);
}

interface Folded<Kind extends Repeated = Repeated> {
  readonly repeated: Kind;
  /** The same for what is alike. */
  readonly kind: number;
}

function foldedCalls(nodes: readonly CallNode[], kinds: Map<string, number>): Folded[] {
  const calls = nodes.map((node): Folded<RepeatedCall> => {
    const children = foldedCalls(node.children, kinds);
    const kind = numberOf(
      kinds,
      [node.fn, node.evidence, ...node.callers, "(", ...children.map(({ kind }) => kind)].join(" "),
    );
    const repeated: RepeatedCall = {
      kind: "call",
      node,
      times: 1,
      hits: node.hits,
      children: children.map(({ repeated }) => repeated),
    };
    return { repeated, kind };
  });
  const folded: Folded[] = [];
  for (let at = 0; at < calls.length;) {
    const { length, times } = loopAt(calls, at);
    const loop = calls.slice(at, at + length);
    const all = calls.slice(at, at + length * times);
    const added = loop.map(({ repeated }, index) => withAll(repeated, all, index, length));
    at += length * times;
    if (times === 1) folded.push(loop[0]);
    else if (length === 1) {
      const repeated = { ...added[0], times };
      folded.push({ repeated, kind: numberOf(kinds, `${loop[0].kind} x${times}`) });
    } else {
      const kind = numberOf(kinds, `[${loop.map(({ kind }) => kind).join(" ")}] x${times}`);
      folded.push({ repeated: { kind: "group", times, calls: added }, kind });
    }
  }
  return folded;
}

/** A call of a loop with the points of all its rounds. */
function withAll(
  call: RepeatedCall,
  all: readonly Folded<RepeatedCall>[],
  index: number,
  length: number,
): RepeatedCall {
  const same = all.filter((_, at) => at % length === index).map(({ repeated }) => repeated);
  return { ...call, hits: same.reduce((sum, { hits }) => sum + hits, 0) };
}

/** The loop of calls that begins at an index and takes most of those behind it; one call, once, where there is none. */
function loopAt(calls: readonly Folded[], at: number): { length: number; times: number } {
  let best = { length: 1, times: 1 };
  for (let length = 1; length <= LONGEST_LOOP && at + 2 * length <= calls.length; length++) {
    let end = at + length;
    while (end < calls.length && calls[end].kind === calls[end - length].kind) end++;
    const times = Math.floor((end - at) / length);
    // Of loops that take as much, the shortest.
    if (times > 1 && times * length > best.times * best.length) best = { length, times };
  }
  return best;
}

function numberOf(kinds: Map<string, number>, key: string): number {
  let number = kinds.get(key);
  if (number === undefined) kinds.set(key, number = kinds.size);
  return number;
}
