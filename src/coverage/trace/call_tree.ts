import type { Address } from "../../base/address.ts";
import type { CodeCall, NextSteps, TraceCode } from "./trace_code.ts";

/**
 * How it is known what called a function:
 * - `call`: the one function on the stack whose code there calls it;
 * - `pointer`: the one that calls a function there that is not in the instruction;
 * - `ambiguous`: several functions on the stack can have called it, and the innermost is taken;
 * - `none`: no function on the stack calls it, as of interrupts and exceptions;
 * - `middle`: it was in no function on the stack, and did not begin here.
 */
export type CallEvidence = "call" | "pointer" | "ambiguous" | "none" | "middle";

/** A call of a function in a trace. */
export interface CallNode {
  /** By {@linkcode TraceCode.functionAt}; -1 where the points are in none. */
  readonly fn: number;
  readonly evidence: CallEvidence;
  /** Other functions on the stack that can have called it; only where that is ambiguous. */
  readonly callers: readonly number[];
  /** Whether the function has coverage points: one without was seen by what it called. */
  readonly hasPoints: boolean;
  /** Where it begins and ends in the order. */
  readonly start: number;
  end: number;
  /** How many points of its own ran, each time counted. */
  hits: number;
  /** The distinct ones. */
  readonly points: Set<Address>;
  /** How often its points followed each other as the code does not have it. */
  odd: number;
  readonly children: CallNode[];
}

/** A function on the stack. */
interface StackFrame {
  readonly node: CallNode;
  /** Where it goes on. */
  resume: Address;
  /** It has jumped to another function and will only return. */
  gone: boolean;
}

/** How a frame can have called a function: the smaller the rank, the better it is known. */
interface Candidate {
  readonly frame: number;
  readonly rank: number;
  /** Where the frame goes on; absent where it stays at its place. */
  readonly back?: Address;
  /** The function without points that calls it on the frame's behalf. */
  readonly through?: number;
  readonly jumps?: boolean;
  /** It is the same call that goes on. */
  readonly goesOn?: boolean;
}

const DIRECT = 0, THROUGH = 1, FAR_THROUGH = 2, POINTER = 3, FAR_POINTER = 4;

const NOTHING: NextSteps = {
  points: [],
  calls: [],
  through: [],
  pointers: [],
  jumps: [],
  returns: true,
  unknown: false,
};

/**
 * The calls of a trace of one thread. A trace has blocks, not calls: what called a function is found in the code, by what
 * each function on the stack can do from where it is to its next block.
 *
 * @param addresses Of the coverage points in the order in which they ran.
 * @param isEntry Whether the kernel is entered in a function, so that nothing on the stack has called it.
 * @returns What was called from outside, in order.
 */
export function callTree(
  code: TraceCode,
  addresses: Iterable<Address>,
  isEntry: (fn: number) => boolean = () => false,
): CallNode[] {
  const builder = new CallTreeBuilder(code, isEntry);
  for (const address of addresses) builder.add(address);
  return builder.end();
}

class CallTreeBuilder {
  readonly #code: TraceCode;
  readonly #isEntry: (fn: number) => boolean;
  readonly #roots: CallNode[] = [];
  #stack: StackFrame[] = [];
  #count = 0;

  constructor(code: TraceCode, isEntry: (fn: number) => boolean) {
    this.#code = code;
    this.#isEntry = isEntry;
  }

  add(address: Address): void {
    const fn = this.#code.functionAt(address);
    if (fn >= 0 && address === this.#code.entryOf(fn)) this.#call(fn, address);
    else this.#goOn(fn, address);
    const frame = this.#stack[this.#stack.length - 1];
    frame.resume = address + this.#code.callLength;
    frame.node.hits++;
    frame.node.points.add(address);
    this.#count++;
  }

  end(): CallNode[] {
    this.#popTo(0);
    return this.#roots;
  }

  /** A function begins, or a loop at its beginning goes on. */
  #call(fn: number, entry: Address): void {
    const { found, mayReturn } = this.#candidates(fn, entry);
    let best = Infinity;
    for (const { rank } of found) best = Math.min(best, rank);
    const isOutside = mayReturn && (found.length === 0 || best > THROUGH && this.#isEntry(fn));
    if (isOutside) {
      this.#popTo(0);
      this.#push(fn, "call", []);
      return;
    }
    if (found.length === 0) {
      this.#push(fn, "none", []);
      return;
    }
    const equal = found.filter(({ rank }) => rank === best);
    const [{ frame, back, through, jumps, goesOn }, ...others] = equal;
    const callers = others.map((other) => this.#stack[other.frame].node.fn);
    this.#popTo(frame + 1);
    if (goesOn) return;
    const caller = this.#stack[frame];
    if (back !== undefined) caller.resume = back;
    if (jumps) caller.gone = true;
    const evidence = callers.length > 0 ? "ambiguous" : best >= POINTER ? "pointer" : "call";
    if (through !== undefined) this.#push(through, "call", []);
    this.#push(fn, evidence, callers);
  }

  /** What on the stack can have called a function, the innermost first; and whether all of it can have returned. */
  #candidates(
    fn: number,
    entry: Address,
  ): { readonly found: Candidate[]; readonly mayReturn: boolean } {
    const found: Candidate[] = [];
    for (let frame = this.#stack.length - 1; frame >= 0; frame--) {
      const { node } = this.#stack[frame];
      if (!node.hasPoints) {
        const rank = this.#rankThrough(node.fn, fn);
        if (rank < Infinity) found.push({ frame, rank });
        continue;
      }
      const next = this.#nextOf(this.#stack[frame]);
      const candidate = this.#candidate(fn, frame, next);
      if (candidate !== undefined) found.push(candidate);
      if (node.fn === fn && next.points.includes(entry)) {
        found.push({ frame, rank: DIRECT, goesOn: true });
      }
      if (!mayEnd(next)) return { found, mayReturn: false };
    }
    return { found, mayReturn: true };
  }

  #candidate(fn: number, frame: number, next: NextSteps): Candidate | undefined {
    const { calls, through, pointers, jumps } = next;
    const call = calls.find(({ target }) => target === fn);
    if (call !== undefined) return { frame, rank: DIRECT, back: call.back };
    if (jumps.includes(fn)) return { frame, rank: DIRECT, jumps: true };
    let best: Candidate | undefined;
    const offer = (candidate: Candidate): void => {
      if (best === undefined || candidate.rank < best.rank) best = candidate;
    };
    for (const { back, target } of through) {
      offer({ frame, rank: this.#rankThrough(target, fn), back, through: target });
    }
    for (const target of jumps) {
      if (this.#code.entryOf(target) >= -Infinity) continue;
      offer({ frame, rank: this.#rankThrough(target, fn), jumps: true, through: target });
    }
    if (pointers.length > 0) offer({ frame, rank: POINTER, back: pointers[0] });
    return best === undefined || best.rank === Infinity ? undefined : best;
  }

  /** How well a function without points is known to call another. */
  #rankThrough(through: number, fn: number): number {
    const { direct, indirect, pointers } = this.#code.reachedFrom(through);
    if (direct.has(fn)) return THROUGH;
    if (indirect.has(fn)) return FAR_THROUGH;
    return pointers ? FAR_POINTER : Infinity;
  }

  /** A function goes on: what it called has returned. */
  #goOn(fn: number, address: Address): void {
    for (let frame = this.#stack.length - 1; frame >= 0; frame--) {
      const one = this.#stack[frame];
      if (!one.node.hasPoints) continue;
      const next = this.#nextOf(one);
      if (one.node.fn === fn && (next.unknown || next.points.includes(address))) {
        this.#popTo(frame + 1);
        return;
      }
      if (!mayEnd(next)) break;
    }
    const known = this.#stack.findLastIndex(({ node, gone }) => node.fn === fn && !gone);
    if (known < 0) {
      const through = this.#findThrough(fn, address);
      if (through === undefined) this.#push(fn, "middle", []);
      else this.#enterThrough(through);
      return;
    }
    this.#popTo(known + 1);
    this.#stack[known].node.odd++;
  }

  /** A call of a function with points that does not begin with one. */
  #findThrough(
    fn: number,
    address: Address,
  ): { readonly frame: number; readonly call: CodeCall } | undefined {
    for (let frame = this.#stack.length - 1; frame >= 0; frame--) {
      const one = this.#stack[frame];
      if (!one.node.hasPoints) continue;
      const next = this.#nextOf(one);
      const call = next.through.find(({ target }) => target === fn);
      if (call !== undefined && this.#code.beginsWith(fn, address)) return { frame, call };
      if (!mayEnd(next)) return undefined;
    }
    return undefined;
  }

  #enterThrough({ frame, call }: { readonly frame: number; readonly call: CodeCall }): void {
    this.#popTo(frame + 1);
    this.#stack[frame].resume = call.back;
    this.#push(call.target, "call", []);
  }

  #nextOf({ resume, gone }: StackFrame): NextSteps {
    return gone ? NOTHING : this.#code.nextFrom(resume);
  }

  #push(fn: number, evidence: CallEvidence, callers: readonly number[]): void {
    const node: CallNode = {
      fn,
      evidence,
      callers,
      hasPoints: fn < 0 || this.#code.hasPoints(fn),
      start: this.#count,
      end: this.#count,
      hits: 0,
      points: new Set(),
      odd: 0,
      children: [],
    };
    const top = this.#stack[this.#stack.length - 1];
    (top === undefined ? this.#roots : top.node.children).push(node);
    this.#stack.push({ node, resume: fn < 0 ? NaN : this.#code.startOf(fn), gone: false });
  }

  #popTo(length: number): void {
    while (this.#stack.length > length) this.#stack.pop()!.node.end = this.#count;
  }
}

/** Whether a function can return without another point. */
function mayEnd({ returns, jumps, unknown }: NextSteps): boolean {
  return returns || unknown || jumps.length > 0;
}
