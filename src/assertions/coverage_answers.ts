import type { Address } from "../base/address.ts";
import type { OriginName } from "../coverage/origin_selection.ts";
import type { DecodedPcs } from "../kcov/decode_pcs.ts";
import {
  KCOV_HOW,
  KCOV_HOW_SHIFT,
  knowsOrigins,
  type OriginPoints,
  type RecordedPcs,
} from "../kcov/origin.ts";
import {
  type KernelComparison,
  kernelComparisons,
  notCompared,
  onlyCompared,
} from "./kernel_comparisons.ts";
import type { Symbolizer } from "./symbolizer.ts";

/** Asks the kernel's image about the points of a test; of hits only where they are known. */
export type Question<Answer> = (symbolizer: Symbolizer, points: DecodedPcs) => Answer;

/**
 * Which points of a test a question is about.
 *
 * @see docs/system-calls.md
 *
 * @example
 * ```ts
 * import { type AskedOrigin, kernelCoverage } from "kernelcov";
 * const asked: AskedOrigin = { origin: "own" };
 * using cov = kernelCoverage("its own calls");
 * if (cov.available) console.log(cov.functions(asked));
 * ```
 */
export interface AskedOrigin {
  /**
   * What made the kernel run them: `own`, calls of the test's tasks; `behalf`, what the kernel did later or elsewhere for
   * them; `runtime`, the runtime's own threads; `faults`, page faults by which code is loaded; `call:NAME`, a system call
   * and what it led to. By default `own` and `behalf`, and all points where their origins are not known.
   */
  readonly origin?: OriginName;
}

/**
 * What a test ran in one system call, or another entry to the kernel, and by what that led to.
 *
 * @see syscalls(2), and docs/system-calls.md
 *
 * @example
 * ```ts
 * import type { CallCoverage } from "kernelcov";
 * const call: CallCoverage = { name: "openat", functions: ["do_filp_open", "path_openat"], points: 120 };
 * console.assert(call.functions.includes("path_openat"));
 * ```
 */
export interface CallCoverage {
  /** `openat`, `page fault`, `exec`. */
  readonly name: string;
  /** Names of the functions that ran, sorted, inlined ones included. */
  readonly functions: string[];
  /** Number of coverage points that ran. */
  readonly points: number;
}

/** What a trace of one thread cannot tell. */
const OF_TREES: ReadonlySet<OriginName> = new Set<OriginName>(["behalf", "runtime", "faults"]);

/** Answers questions about a test from the points that ran and the kernel's image; the same for every kind of coverage. */
export abstract class CoverageAnswers {
  /** Whether it is known how often points ran. */
  abstract readonly hasHits: boolean;

  /** Whether other threads of the process may have worked for other tests too. */
  get threadsShared(): boolean {
    return false;
  }

  /** Distinct raw PCs, ascending, of all origins. */
  abstract pcs(): Float64Array<ArrayBuffer> & ArrayLike<Address>;

  /** Answers from the image, unrecorded: reading it is not what the test does. */
  abstract ask<Answer>(question: Question<Answer>): Answer;

  /** Whether any coverage point of the function ran. */
  reached(functionName: string, asked: AskedOrigin = {}): boolean {
    return this.#askOf(asked, (symbolizer, { pcs }) => {
      for (const pc of pcs) if (symbolizer.functionsOf(pc).includes(functionName)) return true;
      // Nothing ran of it: but could that have been told?
      symbolizer.checkFunction(functionName);
      return false;
    });
  }

  /** How often the function's most-run coverage point ran. */
  hits(functionName: string, asked: AskedOrigin = {}): number {
    if (!this.hasHits) {
      throw new TypeError(
        `Cannot tell how often ${functionName}() ran: in tree scope each point is known once: ` +
          `ask cov.reached("${functionName}"), or record with --scope thread`,
      );
    }
    return this.#askOf(asked, (symbolizer, { pcs, hits }) => {
      let most = 0;
      for (let index = 0; index < pcs.length; index++) {
        if (hits![index] <= most) continue;
        if (symbolizer.functionsOf(pcs[index]).includes(functionName)) most = hits![index];
      }
      if (most === 0) symbolizer.checkFunction(functionName);
      return most;
    });
  }

  /** Names of the functions that ran, sorted. */
  functions(asked: AskedOrigin = {}): string[] {
    return this.#askOf(asked, (symbolizer, { pcs }) => functionsOf(symbolizer, pcs));
  }

  /** Numbers of the lines that ran in a source file, ascending. */
  lines(file: string, asked: AskedOrigin = {}): number[] {
    return this.#askOf(asked, (symbolizer, { pcs }) => {
      const lines = new Set<number>();
      for (const pc of pcs) {
        for (const line of symbolizer.linesOf(pc)) if (line.file === file) lines.add(line.line);
      }
      if (lines.size === 0) symbolizer.checkFile(file);
      return [...lines].sort((first, second) => first - second);
    });
  }

  /** What ran by call, in the order of first runs. */
  calls(asked: AskedOrigin = {}): CallCoverage[] {
    return this.#askOf(asked, (symbolizer, points) => {
      if (points.origins === undefined) throw unknownOrigins();
      const byName = new Map<string, Set<Address>>();
      for (const { origin, points: own } of points.origins) {
        const name = symbolizer.callOf(origin);
        let pcs = byName.get(name);
        if (pcs === undefined) byName.set(name, pcs = new Set());
        for (const point of own) pcs.add(points.pcs[point]);
      }
      return Array.from(byName, ([name, pcs]) => ({
        name,
        functions: functionsOf(symbolizer, pcs),
        points: pcs.size,
      }));
    });
  }

  /** What was compared, by line. */
  comparisons(place?: string): KernelComparison[] {
    return this.ask((symbolizer, { comparisons }) => {
      if (comparisons === undefined) throw notCompared();
      const { threadsShared } = this;
      return kernelComparisons(symbolizer, comparisons, { place, threadsShared });
    });
  }

  #askOf<Answer>(
    { origin }: AskedOrigin,
    answer: (symbolizer: Symbolizer, points: RecordedPcs) => Answer,
  ): Answer {
    return this.ask((symbolizer, { pcs, hits, origins, comparisons }) => {
      if (this.hasHits && origin !== undefined && OF_TREES.has(origin)) {
        if (origin !== "behalf" || origins?.some(isRemote) !== true) throw ofTrees(origin);
      }
      if (comparisons !== undefined) throw onlyCompared();
      const points = { pcs, hits: this.hasHits ? hits : null, origins };
      if (knowsOrigins(points)) {
        return answer(symbolizer, symbolizer.ranFrom(points, origin, this.threadsShared));
      }
      if (origin !== undefined) throw unknownOrigins();
      return answer(symbolizer, { pcs, hits });
    });
  }
}

function functionsOf(symbolizer: Symbolizer, pcs: Iterable<Address>): string[] {
  const names = new Set<string>();
  for (const pc of pcs) for (const name of symbolizer.functionsOf(pc)) names.add(name);
  return [...names].sort();
}

function isRemote({ origin }: OriginPoints): boolean {
  return origin >>> KCOV_HOW_SHIFT === KCOV_HOW.remote;
}

function ofTrees(origin: OriginName): TypeError {
  return new TypeError(
    `Cannot tell what ran by origin ${origin}: in thread scope only the system calls of the testing thread are ` +
      'known: ask for "own" or "call:NAME", or record with --scope tree, or with remote coverage',
  );
}

function unknownOrigins(): TypeError {
  return new TypeError(
    "Cannot tell which system calls ran what: the kernel did not say: record with --scope tree on a kernel with " +
      "collectors, such as the embedded kernel",
  );
}
