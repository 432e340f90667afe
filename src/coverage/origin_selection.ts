import { didYouMean } from "../base/nearest_names.ts";
import {
  hitsOfOrigins,
  KCOV_CALL_MASK,
  knowsOrigins,
  type OriginPcs,
  type OriginPoints,
  type RecordedPcs,
} from "../kcov/origin.ts";
import { callNames, callsNamed } from "../kcov/system_calls.ts";
import type { TestRecord } from "../record/test_record.ts";
import type { CoverageImage } from "./coverage_image.ts";
import { ORIGIN_CLASSES, type OriginClass, originClass } from "./origin_class.ts";
import { resolvePoints } from "./point_hits.ts";

/** Which origins count: what else a record holds is left out when a run is loaded. */
export interface OriginSelection {
  /** The classes that count. */
  readonly classes: readonly OriginClass[];
  /** Names of calls: what they led to counts too, whatever its class, unless the runtime's own threads called. */
  readonly calls: readonly string[];
  /** Records whose origins are not known are left out too, instead of counted whole. */
  readonly restricts: boolean;
}

/** What a test caused. */
export const CAUSED_BY_TESTS: OriginSelection = {
  classes: ["own", "behalf"],
  calls: [],
  restricts: false,
};

/** Numbers of points that were left out, since no origin that counts ran them. */
export interface LeftOut {
  /** Those that only origins of one class ran. */
  readonly only: Readonly<Record<OriginClass, number>>;
  /** Those that origins of several classes ran. */
  readonly several: number;
}

/** Nothing was left out. */
export const NOTHING_LEFT_OUT: LeftOut = {
  only: { own: 0, behalf: 0, runtime: 0, faults: 0 },
  several: 0,
};

/** Number of all points that were left out. */
export function leftOutTotal({ only, several }: LeftOut): number {
  return ORIGIN_CLASSES.reduce((sum, name) => sum + only[name], several);
}

/**
 * What can be asked for: a class, or what one call led to.
 *
 * @see syscalls(2) for the names of calls, and docs/system-calls.md
 *
 * @example
 * ```ts
 * import { kernelCoverage, type OriginName } from "kernelcov";
 * using cov = kernelCoverage("a socket");
 * const origin: OriginName = "call:connect";
 * if (cov.available) console.log(cov.functions({ origin: "own" }).length, origin);
 * ```
 */
export type OriginName = OriginClass | `call:${string}`;

const CALL = "call:";

/**
 * Classes and calls by their names, such as `own` and `call:connect`.
 *
 * @throws {TypeError} Where one names neither.
 */
export function parseOrigins(
  names: readonly string[],
): Pick<OriginSelection, "classes" | "calls"> {
  const calls = names.filter((name) => name.startsWith(CALL)).map((name) =>
    name.slice(CALL.length)
  );
  const classes = names.filter((name) => !name.startsWith(CALL)).map((name) => {
    const found = ORIGIN_CLASSES.find((known) => known === name);
    if (found !== undefined) return found;
    const near = didYouMean(name, ORIGIN_CLASSES);
    throw new TypeError(
      `Unknown origin "${name}"${near || `: use ${ORIGIN_CLASSES.join(", ")} or ${CALL}NAME`}`,
    );
  });
  return { classes: [...new Set(classes)], calls };
}

/** A bit for each class. */
const BITS: Readonly<Record<OriginClass, number>> = { own: 1, behalf: 2, runtime: 4, faults: 8 };
/** The bit of an origin that counts; the classes of others are below. */
export const COUNTS = 16;

/** Tells which origins count. */
export class OriginFilter {
  readonly #machine: string;
  readonly #selection: OriginSelection;
  readonly #calls: ReadonlySet<number>;

  /**
   * @param machine Whose numbers system calls are, as `uname -m` has it.
   * @throws {TypeError} Where a call has no number there; names the nearest that have.
   */
  constructor(machine: string, selection: OriginSelection) {
    this.#machine = machine;
    this.#selection = selection;
    this.#calls = new Set(selection.calls.flatMap((name) => numbersOf(name, machine)));
  }

  /**
   * The PCs that ran from origins that count, with their counts and origins; the others, each with the classes of its
   * origins as bits.
   */
  split<Recorded extends OriginPcs>(
    recorded: Recorded,
    threadsShared?: boolean,
  ): { readonly part: Recorded; readonly others: { pcs: Float64Array; hits: Uint8Array } } {
    const { pcs, origins } = recorded;
    const context = { machine: this.#machine, threadsShared };
    const bits = origins.map(({ origin }) => this.bitOf(origin, originClass(origin, context)));
    if (bits.every((bit) => bit === COUNTS)) return { part: recorded, others: NO_OTHERS };
    const ran = new Uint8Array(pcs.length);
    for (let at = 0; at < bits.length; at++) {
      const { points } = origins[at], bit = bits[at];
      for (let i = 0; i < points.length; i++) ran[points[i]] |= bit;
    }
    const counting = origins.filter((_, at) => bits[at] === COUNTS);
    return {
      part: { ...recorded, ...partOf(recorded, ran, counting) },
      others: { pcs: pcs.filter((_, i) => ran[i] < COUNTS), hits: ran.filter((b) => b < COUNTS) },
    };
  }

  /** Whether an origin counts. */
  counts(origin: number, threadsShared?: boolean): boolean {
    const context = { machine: this.#machine, threadsShared };
    return this.bitOf(origin, originClass(origin, context)) === COUNTS;
  }

  /** {@linkcode COUNTS} where an origin of a class counts, else the bit of the class. */
  bitOf(origin: number, name: OriginClass): number {
    const { classes } = this.#selection;
    if (classes.includes(name)) return COUNTS;
    return name !== "runtime" && this.#calls.has(origin & KCOV_CALL_MASK) ? COUNTS : BITS[name];
  }
}

const NO_OTHERS = { pcs: new Float64Array(0), hits: new Uint8Array(0) };

/** Narrows the records of a run to the origins that count, and counts what it leaves out. */
export class OriginSelector {
  readonly #image: CoverageImage;
  readonly #filter: OriginFilter;
  readonly #restricts: boolean;
  /** By point, the classes of the origins that were left out of any record. */
  readonly #left: Uint8Array;

  /** @throws {TypeError} As {@linkcode OriginFilter}. */
  constructor(image: CoverageImage, machine: string, selection: OriginSelection = CAUSED_BY_TESTS) {
    this.#image = image;
    this.#filter = new OriginFilter(machine, selection);
    this.#restricts = selection.restricts;
    this.#left = new Uint8Array(image.pointOffset.length);
  }

  /**
   * What counts of a record, and how many points of the image that leaves out; `undefined` where its origins are not
   * known.
   */
  narrow(record: TestRecord): NarrowedRecord {
    if (!knowsOrigins(record)) {
      if (!this.#restricts) return { record, leftOut: undefined };
      const nothing = partOf(record, new Uint8Array(record.pcs.length), []);
      return { record: { ...record, ...nothing }, leftOut: undefined };
    }
    const { part, others } = this.#filter.split(record, record.tree?.threadsShared);
    const { points, hits: classes } = resolvePoints(this.#image, others);
    for (let i = 0; i < points.length; i++) this.#left[points[i]] |= classes![i];
    return { record: part, leftOut: countLeftOut(classes!) };
  }

  /**
   * By point, the classes of the origins that ran it, as bits; 0 where a test has it, or none ran it.
   *
   * @param kept Points of each test.
   */
  leftOut(kept: Iterable<Uint32Array>): Uint8Array {
    const left = this.#left.slice();
    for (const points of kept) for (let i = 0; i < points.length; i++) left[points[i]] = 0;
    return left;
  }
}

/**
 * Holds that a machine has the calls that a selection names.
 *
 * @throws {TypeError} Where it has not; names the nearest that it has.
 */
export function checkCalls({ calls }: OriginSelection, machine: string): void {
  for (const name of calls) numbersOf(name, machine);
}

/** What {@linkcode OriginSelector.narrow} made of a record. */
export interface NarrowedRecord {
  readonly record: TestRecord;
  readonly leftOut: LeftOut | undefined;
}

/** Counts points by the classes of their origins, which are given as bits; 0: it is not left out. */
export function countLeftOut(classes: ArrayLike<number>): LeftOut {
  const counts = new Uint32Array(COUNTS);
  for (let i = 0; i < classes.length; i++) counts[classes[i]]++;
  const { own, behalf, runtime, faults } = BITS;
  const only = {
    own: counts[own],
    behalf: counts[behalf],
    runtime: counts[runtime],
    faults: counts[faults],
  };
  const all = counts.reduce((sum, count) => sum + count, -counts[0]);
  return { only, several: all - leftOutTotal({ only, several: 0 }) };
}

/** The PCs that ran from `origins`, which `ran` marks by {@linkcode COUNTS}. */
function partOf(
  { pcs, hits, origins: all }: RecordedPcs,
  ran: Uint8Array,
  origins: readonly OriginPoints[],
): RecordedPcs {
  const place = new Uint32Array(ran.length);
  let count = 0;
  for (let i = 0; i < ran.length; i++) if (ran[i] >= COUNTS) place[i] = count++;
  const part = origins.map((one) => ({ ...one, points: one.points.map((point) => place[point]) }));
  return {
    pcs: pcs.filter((_, i) => ran[i] >= COUNTS),
    hits: hits === null ? null : hitsOfOrigins(part, count),
    ...(all === undefined ? {} : { origins: part }),
  };
}

/** The numbers that a call has in the ABIs of a machine. */
function numbersOf(name: string, machine: string): number[] {
  const found = callsNamed(machine, name);
  if (found.length > 0) return found;
  const names = callNames(machine);
  throw new TypeError(
    `There is no system call ${name} on ${machine}${didYouMean(name, names)}`,
  );
}
