import type { CoverageImage } from "../coverage/coverage_image.ts";
import { type CoveredModule, withLostModules } from "../coverage/module_coverage.ts";
import { resolvePoints, type UnresolvedCounts } from "../coverage/point_hits.ts";
import type { ResolvedRecord } from "../coverage/hits/run_hits.ts";
import { knowsOrigins } from "../kcov/origin.ts";
import type { TestRecord } from "../record/test_record.ts";
import { type OriginDictionary, UNKNOWN_ORIGINS } from "./origin_dictionary.ts";

/** PCs of a record that name no point, of one set of origins. */
export interface UnresolvedPart {
  readonly origins: number;
  readonly counts: UnresolvedCounts;
  /** By name of a module without an image, the PCs in it. */
  readonly lost: Readonly<Record<string, number>>;
}

/** What a store has of one record besides its rows. */
export interface StoredRecord {
  readonly record: ResolvedRecord;
  /** Whether its rows have counts. */
  readonly hasCounts: boolean;
  /** Whether it is known what made the kernel run its points. */
  readonly known: boolean;
  /** Its origins in the order of first runs; absent where they are not known. */
  readonly originOrder?: readonly number[] | undefined;
  readonly unresolved: readonly UnresolvedPart[];
}

/** The hits of a record, ascending by point: one for each point, or, where counts are known by origin, for each of both. */
export interface HitRows {
  readonly points: Uint32Array;
  readonly origins: Uint32Array;
  /** 0 where the kernel stored each PC once. */
  readonly counts: Uint32Array;
}

/** Makes rows of records whose PCs are where the joined image has them. */
export class RecordResolver {
  readonly #image: CoverageImage;
  readonly #modules: readonly CoveredModule[];
  readonly #dictionary: OriginDictionary;

  constructor(
    image: CoverageImage,
    modules: readonly CoveredModule[],
    dictionary: OriginDictionary,
  ) {
    this.#image = image;
    this.#modules = modules;
    this.#dictionary = dictionary;
  }

  /** The rows of a record, with the points' numbers in the image, and what else is kept of it. */
  resolve(whole: TestRecord): { readonly stored: StoredRecord; readonly rows: HitRows } {
    const { pcs, hits, origins, ...record } = whole;
    const known = knowsOrigins(whole);
    const places = Uint32Array.from(pcs, (_, place) => place);
    // In the place of counts: which PC each point is of.
    const { points, hits: pcOf } = resolvePoints(this.#image, { pcs, hits: places });
    const sets = this.#setsOf(whole, known);
    const rows = known && hits !== null ? this.#byOrigin(whole, points, pcOf!) : {
      points,
      origins: pcOf!.map((pc) => sets[pc]),
      counts: hits === null ? new Uint32Array(points.length) : pcOf!.map((pc) => hits[pc]),
    };
    const stored: StoredRecord = {
      record,
      hasCounts: hits !== null,
      known,
      originOrder: origins?.map(({ origin }) => origin),
      unresolved: this.#unresolved(pcs, pcOf!, sets),
    };
    return { stored, rows };
  }

  /** By PC, the set of its origins. */
  #setsOf({ pcs, origins, tree }: TestRecord, known: boolean): Uint32Array {
    const sets = new Uint32Array(pcs.length).fill(UNKNOWN_ORIGINS);
    if (origins === undefined) return sets;
    const threadsShared = tree?.threadsShared === true;
    const ascending = origins.toSorted((a, b) => a.origin - b.origin);
    const of: number[][] = Array.from({ length: pcs.length }, () => []);
    for (const { origin, points } of ascending) for (const point of points) of[point].push(origin);
    // Neighbours mostly have one set.
    let last = "", number = UNKNOWN_ORIGINS;
    for (let pc = 0; pc < sets.length; pc++) {
      const text = of[pc].join();
      if (pc === 0 || text !== last) {
        number = this.#dictionary.add({ origins: of[pc], threadsShared, known });
        last = text;
      }
      sets[pc] = number;
    }
    return sets;
  }

  /** A row for each origin of each point, with its count. */
  #byOrigin({ pcs, origins, tree }: TestRecord, points: Uint32Array, pcOf: Uint32Array): HitRows {
    const threadsShared = tree?.threadsShared === true;
    const of: [set: number, count: number][][] = Array.from({ length: pcs.length }, () => []);
    for (const { origin, points: own, hits } of origins!) {
      const set = this.#dictionary.add({ origins: [origin], threadsShared, known: true });
      own.forEach((pc, i) => of[pc].push([set, hits![i]]));
    }
    const rows = Array.from(
      points,
      (point, i) => of[pcOf[i]].map(([set, count]) => [point, set, count] as const),
    ).flat();
    const column = (at: 0 | 1 | 2): Uint32Array => Uint32Array.from(rows, (row) => row[at]);
    return { points: column(0), origins: column(1), counts: column(2) };
  }

  #unresolved(
    pcs: Float64Array,
    resolved: Uint32Array,
    sets: Uint32Array,
  ): UnresolvedPart[] {
    if (resolved.length === pcs.length) return [];
    const bySet = new Map<number, number[]>();
    for (let pc = 0, at = 0; pc < pcs.length; pc++) {
      if (resolved[at] === pc) {
        at++;
        continue;
      }
      const known = bySet.get(sets[pc]);
      if (known === undefined) bySet.set(sets[pc], [pcs[pc]]);
      else known.push(pcs[pc]);
    }
    return [...bySet].map(([origins, left]) => {
      const lost = this.#modules.map(() => 0);
      const plain = resolvePoints(this.#image, { pcs: left, hits: null });
      const { unresolved } = withLostModules(plain, left, this.#modules, lost);
      const named = this.#modules.map(({ name }, at) => [name, lost[at]] as const);
      return {
        origins,
        counts: unresolved,
        lost: Object.fromEntries(named.filter(([, count]) => count > 0)),
      };
    });
  }
}
