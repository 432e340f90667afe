/**
 * Made-up tests that are like those of a real run, in any number. Each is made of one of the real ones: it has that
 * one's stretches of neighbouring points with their origins. What most real tests hit (the core: system call entry, the
 * scheduler, memory) it has where they have it, each stretch as often as they do. Of the others it keeps some, and some lie
 * elsewhere: at a place that is drawn from a few hundred themes, of which some are common and most are rare, since a
 * fleet's tests are of many subsystems. How many points tests have varies as it does among the real ones.
 */
import type { RunCoverage } from "../../../src/coverage/run_coverage.ts";
import type { OriginDictionary } from "../../../src/store/origin_dictionary.ts";
import type { HitRows } from "../../../src/store/record_rows.ts";
import type { Random } from "../report/made_up_kernel.ts";

/** Share of the real tests that hit a point of the core. */
const CORE_SHARE = 0.5;
/** Share of stretches outside the core that stay where the real test has them. */
const STAYS = 0.3;
const THEMES = 400;
/** Points of a theme. */
const THEME_POINTS = 3000;

/** Neighbouring points with one set of origins. */
interface Stretch {
  readonly from: number;
  readonly length: number;
  readonly origins: number;
  /** Share of the real tests that hit its first point, where that is of the core; else 0. */
  readonly share: number;
}

/** What is fitted to a real run. */
export interface TestModel {
  readonly templates: readonly (readonly Stretch[])[];
  readonly points: number;
  /** Mean of the logarithms of the tests' points, and how they vary. */
  readonly logMean: number;
  readonly logDeviation: number;
  readonly corePoints: number;
  readonly themeStarts: Uint32Array;
}

/** Fits a model to the tests of a run. */
export function fitModel(
  coverage: RunCoverage,
  dictionary: OriginDictionary,
  random: Random,
): TestModel {
  const { tests, pointTests } = coverage;
  const of = tests.filter(({ points }) => points.points.length > 50);
  const templates = of.map(({ points: { points }, origins = [] }): Stretch[] => {
    const sets = new Map<number, number[]>();
    for (const { origin, points: own } of origins) {
      for (const point of own) {
        const known = sets.get(point);
        if (known === undefined) sets.set(point, [origin]);
        else known.push(origin);
      }
    }
    const stretches: Stretch[] = [];
    let last = { from: -2, length: 0, origins: -1, share: -1 };
    for (const point of points) {
      const set = dictionary.add({
        origins: (sets.get(point) ?? []).sort((a, b) => a - b),
        threadsShared: false,
        known: origins.length > 0,
      });
      const share = pointTests[point] / tests.length;
      const core = share >= CORE_SHARE ? share : 0;
      if (last.from + last.length === point && last.origins === set && last.share === core) {
        last.length++;
      } else stretches.push(last = { from: point, length: 1, origins: set, share: core });
    }
    return stretches;
  });
  const logs = of.map(({ points }) => Math.log(points.points.length));
  const logMean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const variance = logs.reduce((sum, log) => sum + (log - logMean) ** 2, 0) / logs.length;
  return {
    templates,
    points: pointTests.length,
    logMean,
    logDeviation: Math.sqrt(variance),
    corePoints: pointTests.filter((count) => count / tests.length >= CORE_SHARE).length,
    themeStarts: Uint32Array.from(
      { length: THEMES },
      () => Math.floor(random() * (pointTests.length - THEME_POINTS)),
    ),
  };
}

/** Makes tests of a model, with so many points on average. */
export class TestMaker {
  readonly #model: TestModel;
  readonly #random: Random;
  readonly #mean: number;
  readonly #hit: Uint32Array;
  #mark = 0;

  constructor(model: TestModel, random: Random, mean: number) {
    this.#model = model;
    this.#random = random;
    // Of a log-normal distribution with the same spread.
    this.#mean = Math.log(mean) - model.logDeviation ** 2 / 2;
    this.#hit = new Uint32Array(model.points);
  }

  next(): HitRows {
    const { templates, logDeviation, points } = this.#model;
    const random = this.#random;
    const wanted = Math.max(20, Math.round(Math.exp(this.#mean + logDeviation * this.#normal())));
    const template = templates[Math.floor(random() * templates.length)];
    const mark = ++this.#mark;
    const found = new Uint32Array(2 * wanted + 4096), sets = new Uint32Array(found.length);
    let count = 0;
    const add = (from: number, { length, origins }: Stretch): void => {
      const end = Math.min(points, from + length, from + found.length - count);
      for (let point = from; point < end; point++) {
        if (this.#hit[point] === mark) continue;
        this.#hit[point] = mark;
        found[count] = point;
        sets[count++] = origins;
      }
    };
    for (const stretch of template) {
      if (stretch.share > 0 && count < wanted && random() < stretch.share) {
        add(stretch.from, stretch);
      }
    }
    const theme = this.#model.themeStarts[Math.floor(THEMES * random() ** 2)];
    for (let tries = 0; count < wanted && tries < 40 * template.length; tries++) {
      const stretch = template[Math.floor(random() * template.length)];
      if (stretch.share > 0) continue;
      const elsewhere = theme + Math.floor(THEME_POINTS * random() ** 2);
      add(random() < STAYS ? stretch.from : elsewhere, stretch);
    }
    return sorted(found.subarray(0, count), sets);
  }

  /** A number of the standard normal distribution. */
  #normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random()));
    return radius * Math.cos(2 * Math.PI * this.#random());
  }
}

function sorted(points: Uint32Array, sets: Uint32Array): HitRows {
  // A point and its set in one number, which sorts natively.
  const packed = Float64Array.from(points, (point, i) => point * 65_536 + sets[i]).sort();
  return {
    points: Uint32Array.from(packed, (value) => Math.floor(value / 65_536)),
    origins: Uint32Array.from(packed, (value) => value % 65_536),
    counts: new Uint32Array(points.length),
  };
}
