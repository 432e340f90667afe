import type { Address } from "../../base/address.ts";
import { indexOfSorted } from "../../base/search.ts";
import type { CallEntries } from "../../kcov/call_entries.ts";
import { KCOV_CALL, KCOV_CALL_MASK } from "../../kcov/origin.ts";
import { isSystemCall } from "../../kcov/system_calls.ts";
import type { CoverageImage } from "../coverage_image.ts";
import { type CallNode, callTree } from "./call_tree.ts";
import type { TraceCode } from "./trace_code.ts";

/** A function that is inlined in another. */
export interface InlinedFunction {
  readonly name: string;
  readonly file: string;
}

/** The first functions with coverage points that a page fault runs; calls of nothing on the stack. */
const PAGE_FAULTS: ReadonlySet<string> = new Set([
  "do_user_addr_fault",
  "do_mem_abort",
  "do_page_fault",
  "fault_in_kernel_space",
  "find_vma",
  "handle_mm_fault",
  "kmmio_fault",
  "lock_mm_and_find_vma",
  "lock_vma_under_rcu",
]);

/** Where a function is in the source. */
export interface TracedSource {
  readonly file: string;
  /** Of its declaration. */
  readonly line: number;
}

/** What a test ran on its thread, in order, as calls. */
export class CalledTrace {
  /** What was called from outside, in order. */
  readonly roots: readonly CallNode[];
  /** How many points ran, each time counted. */
  readonly points: number;
  /** PCs that are no coverage points, and are left out. */
  readonly unresolved: number;
  readonly #code: TraceCode;
  readonly #image: CoverageImage;
  /** The origin of each function that the kernel is entered in. */
  readonly #origins = new Map<number, number>();

  /**
   * @param code The image's.
   * @param addresses Of calls before the PCs, in order.
   */
  constructor(
    code: TraceCode,
    image: CoverageImage,
    entries: CallEntries,
    addresses: ArrayLike<Address>,
  ) {
    this.#code = code;
    this.#image = image;
    for (let at = 0; at < entries.start.length; at++) {
      const fn = code.functionAt(entries.start[at]);
      if (fn >= 0) this.#origins.set(fn, entries.origin[at]);
    }
    const points = Array.from(addresses).filter((address) => code.isPoint(address));
    this.points = points.length;
    this.unresolved = addresses.length - points.length;
    this.roots = callTree(code, points, (fn) => this.#origins.has(fn));
  }

  /** The name of a function's symbol. */
  symbolOf(fn: number): string {
    return fn < 0 ? "??" : this.#code.nameOf(fn);
  }

  /** The name of the function of a call: as the source has it, where that is known, since symbols may be aliases. */
  nameOf(node: CallNode): string {
    const fn = this.#functionOf(node);
    return fn < 0 ? this.symbolOf(node.fn) : this.#image.functionName[fn];
  }

  /** The origin of a call from outside, as records have it; `undefined` where that is not known. */
  entryOf(root: CallNode): number | undefined {
    const fns = [root, ...root.children].map(({ fn }) => fn);
    const call = fns.map((fn) => this.#callOf(fn)).find((found) => found !== undefined);
    if (call !== undefined) return call;
    // In a call they are entered from its code.
    if (PAGE_FAULTS.has(this.nameOf(root))) return KCOV_CALL.pageFault;
    const origin = this.#origins.get(root.fn);
    return origin === undefined || (origin & KCOV_CALL_MASK) === KCOV_CALL.none
      ? undefined
      : origin;
  }

  #callOf(fn: number): number | undefined {
    const origin = this.#origins.get(fn);
    if (origin === undefined || origin > KCOV_CALL_MASK) return undefined;
    return isSystemCall(origin) ? origin : undefined;
  }

  /** Where the function of a call is declared; `undefined` where that is not known. */
  sourceOf(node: CallNode): TracedSource | undefined {
    const fn = this.#functionOf(node);
    const { functionFile, functionLine, files } = this.#image;
    return fn < 0 ? undefined : { file: files[functionFile[fn]], line: functionLine[fn] };
  }

  /** The function of a call as the image has it; -1 where that is not known. */
  #functionOf({ points }: CallNode): number {
    const { frameStart, frameFunction } = this.#image;
    for (const address of points) {
      const point = this.#pointAt(address);
      if (point < 0 || frameStart[point] === frameStart[point + 1]) continue;
      return frameFunction[frameStart[point + 1] - 1];
    }
    return -1;
  }

  /** The functions that are inlined at the points of a call, in the order of first runs. */
  inlinedIn({ points }: CallNode): InlinedFunction[] {
    const { frameStart, frameFunction, functionName, functionFile, files } = this.#image;
    const found = new Map<number, InlinedFunction>();
    for (const address of points) {
      const point = this.#pointAt(address);
      if (point < 0) continue;
      // Outermost first; the last frame is the function itself.
      for (let frame = frameStart[point + 1] - 2; frame >= frameStart[point]; frame--) {
        const fn = frameFunction[frame];
        if (!found.has(fn)) {
          found.set(fn, { name: functionName[fn], file: files[functionFile[fn]] });
        }
      }
    }
    return [...found.values()];
  }

  #pointAt(address: Address): number {
    return indexOfSorted(this.#image.pointOffset, address - this.#image.base);
  }
}
