import type { Address } from "../base/address.ts";
import type { DecodedPcs } from "../kcov/decode_pcs.ts";
import type { Symbolizer } from "./symbolizer.ts";

/** Asks the kernel's image about the points of a test; of hits only where they are known. */
export type Question<Answer> = (symbolizer: Symbolizer, points: DecodedPcs) => Answer;

/** Answers questions about a test from the points that ran and the kernel's image; the same for every kind of coverage. */
export abstract class CoverageAnswers {
  /** Whether it is known how often points ran. */
  abstract readonly hasHits: boolean;

  /** Distinct raw PCs, ascending. */
  abstract pcs(): Float64Array<ArrayBuffer> & ArrayLike<Address>;

  /** Answers from the image, unrecorded: reading it is not what the test does. */
  abstract ask<Answer>(question: Question<Answer>): Answer;

  /** Whether any coverage point of the function ran. */
  reached(functionName: string): boolean {
    return this.ask((symbolizer, { pcs }) => {
      for (const pc of pcs) if (symbolizer.functionsOf(pc).includes(functionName)) return true;
      // Nothing ran of it: but could that have been told?
      symbolizer.checkFunction(functionName);
      return false;
    });
  }

  /** How often the function's most-run coverage point ran. */
  hits(functionName: string): number {
    if (!this.hasHits) {
      throw new TypeError(
        `Cannot tell how often ${functionName}() ran: in tree scope each point is known once: ` +
          `ask cov.reached("${functionName}"), or record with --scope thread`,
      );
    }
    return this.ask((symbolizer, { pcs, hits }) => {
      let most = 0;
      for (let index = 0; index < pcs.length; index++) {
        if (hits[index] <= most) continue;
        if (symbolizer.functionsOf(pcs[index]).includes(functionName)) most = hits[index];
      }
      if (most === 0) symbolizer.checkFunction(functionName);
      return most;
    });
  }

  /** Names of the functions that ran, sorted. */
  functions(): string[] {
    return this.ask((symbolizer, { pcs }) => {
      const names = new Set<string>();
      for (const pc of pcs) for (const name of symbolizer.functionsOf(pc)) names.add(name);
      return [...names].sort();
    });
  }

  /** Numbers of the lines that ran in a source file, ascending. */
  lines(file: string): number[] {
    return this.ask((symbolizer, { pcs }) => {
      const lines = new Set<number>();
      for (const pc of pcs) {
        for (const line of symbolizer.linesOf(pc)) if (line.file === file) lines.add(line.line);
      }
      if (lines.size === 0) symbolizer.checkFile(file);
      return [...lines].sort((first, second) => first - second);
    });
  }
}
