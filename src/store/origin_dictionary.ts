import { originClass } from "../coverage/origin_class.ts";
import { COUNTS, OriginFilter, type OriginSelection } from "../coverage/origin_selection.ts";

/** What made the kernel run a point in a test: the origins of a row. */
export interface OriginSet {
  /** 16 bits each, ascending; none: they are not known. */
  readonly origins: readonly number[];
  /** The test shared the runner's threads with others, on which the classes of origins depend. */
  readonly threadsShared: boolean;
  /** False where the record knows no counts by origin, so that it counts whole. */
  readonly known: boolean;
}

/** The number of the set of rows whose origins are not known. */
export const UNKNOWN_ORIGINS = 0;

/** Sets of origins by number. */
export class OriginDictionary {
  readonly #sets: OriginSet[] = [];
  readonly #numbers = new Map<string, number>();

  constructor() {
    this.add({ origins: [], threadsShared: false, known: false });
  }

  get sets(): readonly OriginSet[] {
    return this.#sets;
  }

  /** The number of a set, a new one where it is new. */
  add(set: OriginSet): number {
    const key = `${Number(set.threadsShared)}${Number(set.known)} ${set.origins.join()}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#sets.length);
    return this.#sets.push(set) - 1;
  }
}

/** What rows of one segment mean, where some origins count. */
export interface RowMeaning {
  readonly sets: readonly OriginSet[];
  /** By set, {@linkcode COUNTS} where it counts, else the classes of its origins, as bits. */
  readonly bits: Uint8Array;
  /** By set, those of its origins that count. */
  readonly counting: readonly (readonly number[])[];
}

/**
 * What sets of origins mean.
 *
 * @param machine whose numbers system calls are
 */
export function meaningOf(
  sets: readonly OriginSet[],
  machine: string,
  selection: OriginSelection,
): RowMeaning {
  const filter = new OriginFilter(machine, selection);
  const bits = new Uint8Array(sets.length);
  const counting = sets.map(({ origins, threadsShared, known }, set) => {
    if (!known) {
      bits[set] = selection.restricts ? 0 : COUNTS;
      return selection.restricts ? [] : origins;
    }
    const context = { machine, threadsShared };
    const own = origins.map((origin) => filter.bitOf(origin, originClass(origin, context)));
    const any = own.reduce((all, bit) => all | bit, 0);
    bits[set] = (any & COUNTS) === 0 ? any : COUNTS;
    return origins.filter((_, at) => own[at] === COUNTS);
  });
  return { sets, bits, counting };
}
