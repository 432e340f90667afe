import type { Address } from "../../base/address.ts";
import { indexOfSorted } from "../../base/search.ts";
import type { CallEntries } from "../../kcov/call_entries.ts";
import { KCOV_CALL_MASK } from "../../kcov/origin.ts";
import { isSystemCall } from "../../kcov/system_calls.ts";
import type { CoverageImage } from "../coverage_image.ts";
import { type CallNode, callTree } from "./call_tree.ts";
import type { TraceCode } from "./trace_code.ts";

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
  readonly #code: TraceCode;
  readonly #image: CoverageImage;
  /** The origin of each function that the kernel is entered in. */
  readonly #origins = new Map<number, number>();

  /**
   * @param code The image's.
   * @param addresses Of coverage points, in order.
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
    this.points = addresses.length;
    this.roots = callTree(code, Array.from(addresses), (fn) => this.#callOf(fn) !== undefined);
  }

  nameOf(fn: number): string {
    return fn < 0 ? "??" : this.#code.nameOf(fn);
  }

  /** The system call that a call from outside is of; `undefined` where it is of none that is known. */
  systemCallOf({ fn, children }: CallNode): number | undefined {
    return this.#callOf(fn) ??
      children.map(({ fn }) => this.#callOf(fn)).find((call) => call !== undefined);
  }

  #callOf(fn: number): number | undefined {
    const origin = this.#origins.get(fn);
    if (origin === undefined || origin > KCOV_CALL_MASK) return undefined;
    return isSystemCall(origin) ? origin : undefined;
  }

  /** Where the function of a call is declared; `undefined` where that is not known. */
  sourceOf({ points }: CallNode): TracedSource | undefined {
    const { frameStart, frameFunction, functionFile, functionLine, files } = this.#image;
    for (const address of points) {
      const point = this.#pointAt(address);
      if (point < 0 || frameStart[point] === frameStart[point + 1]) continue;
      const fn = frameFunction[frameStart[point + 1] - 1];
      return { file: files[functionFile[fn]], line: functionLine[fn] };
    }
    return undefined;
  }

  /** The functions that are inlined at a point, the outermost first. */
  inlinedAt(address: Address): string[] {
    const { frameStart, frameFunction, functionName } = this.#image;
    const point = this.#pointAt(address);
    if (point < 0) return [];
    const names: string[] = [];
    for (let frame = frameStart[point + 1] - 2; frame >= frameStart[point]; frame--) {
      names.push(functionName[frameFunction[frame]]);
    }
    return names;
  }

  /** The functions that are inlined at the points of a call, in the order of first runs. */
  inlinedIn({ points }: CallNode): string[] {
    return [...new Set([...points].flatMap((address) => this.inlinedAt(address)))];
  }

  #pointAt(address: Address): number {
    return indexOfSorted(this.#image.pointOffset, address - this.#image.base);
  }
}
