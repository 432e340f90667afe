import type { Address } from "../base/address.ts";
import { indexOfSorted } from "../base/search.ts";
import { runningKernel } from "../record/running_kernel.ts";
import type { ImageIndex } from "../symbolize/image_index.ts";
import { framesAt } from "../symbolize/point_frames.ts";
import { loadKernelIndex } from "./kernel_index.ts";
import type { SourceLine, Symbolizer } from "./symbolizer.ts";

/** Answers from the index of the kernel's image. */
export class IndexSymbolizer implements Symbolizer {
  readonly #index: ImageIndex;

  /**
   * Loads the index of the running kernel, made first where there is none.
   *
   * @throws {KcovUnavailableError} With reason `no-image` where the kernel's image is not found.
   * @throws {FormatError} Where the image is damaged.
   */
  constructor() {
    this.#index = loadKernelIndex(runningKernel()).index;
  }

  functionsOf(pc: Address): readonly string[] {
    const point = indexOfSorted(this.#index.everyOffset, this.#callOffset(pc));
    return point < 0 ? [] : framesAt(this.#index, point).map((frame) => frame.function);
  }

  linesOf(pc: Address): readonly SourceLine[] {
    const { pointOffset, claimStart, claimLine, lineFile, lineNumber, files } = this.#index;
    const point = indexOfSorted(pointOffset, this.#callOffset(pc));
    if (point < 0) return [];
    return Array.from(claimLine.subarray(claimStart[point], claimStart[point + 1]), (line) => ({
      file: files[lineFile[line]!]!,
      line: lineNumber[line]!,
    }));
  }

  /** A raw PC is a return address; the index knows calls. */
  #callOffset(pc: Address): number {
    return pc - this.#index.callLength - this.#index.base;
  }
}
