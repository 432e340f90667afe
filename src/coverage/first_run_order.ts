import { stretchOf } from "../kcov/first_runs.ts";
import type { CoverageImage } from "./coverage_image.ts";

/** In which order the points of a test first ran, as far as its record tells: by stretches of code. */
export class FirstRunOrder {
  readonly #image: CoverageImage;
  readonly #ranks: ReadonlyMap<number, number>;

  /** @param firstRuns As the record has them. */
  constructor(image: CoverageImage, firstRuns: Float64Array) {
    this.#image = image;
    this.#ranks = new Map(Array.from(firstRuns, (stretch, rank) => [stretch, rank]));
  }

  /** The rank of a point, that of its stretch; `Infinity` where it is not known. */
  rankOf(point: number): number {
    const { base, pointOffset, callLength } = this.#image;
    return this.#ranks.get(stretchOf(base + pointOffset[point] + callLength)) ?? Infinity;
  }
}
