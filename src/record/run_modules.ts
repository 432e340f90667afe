import type { Address } from "../base/address.ts";
import { lowerBound } from "../base/search.ts";
import type { OriginPoints, RecordedPcs } from "../kcov/origin.ts";
import type { Run, RunModule, TestRecord } from "./test_record.ts";

// Records have their own addresses for the sections of modules, far above those of any kernel: a module lies elsewhere
// after each boot, and its address would reveal roughly by how much the kernel was moved.

/** The first of the addresses that records have for modules. Kernels lie below 2^47, or below 0. */
export const FIRST_MODULE_ADDRESS: Address = 2 ** 50;
/** More than the size of any module's section. */
export const SECTION_SPACE = 2 ** 32;
/** From here on are PCs of no known module: a line of the file was damaged, or a PC is after a section's end. */
const NOWHERE: Address = 2 ** 51;

/** The modules of a run, and the addresses that its records have for them. */
export class RunModules {
  readonly #modules = new Map<string, RunModule>();
  #next = FIRST_MODULE_ADDRESS;

  /** In the order in which they were added. */
  get list(): readonly RunModule[] {
    return [...this.#modules.values()];
  }

  get size(): number {
    return this.#modules.size;
  }

  /** The module with the addresses for its sections, which are given out where it is new. */
  add(
    module: Pick<RunModule, "name" | "buildId" | "hidden">,
    sections: readonly string[],
  ): RunModule {
    const { name, buildId, hidden } = module;
    const key = `${name} ${buildId} ${sections.join(" ")}`;
    const known = this.#modules.get(key);
    if (known !== undefined) return known;
    const added: RunModule = {
      name,
      buildId,
      sections: sections.map((section) => ({ name: section, address: this.#take() })),
      ...(hidden === undefined ? {} : { hidden }),
    };
    this.#modules.set(key, added);
    return added;
  }

  #take(): Address {
    const address = this.#next;
    this.#next += SECTION_SPACE;
    return address;
  }
}

/** Where the addresses of a section go. */
export interface MovedSection {
  readonly address: Address;
  /** What `address` becomes. */
  readonly to: Address;
  /** Bytes of the section; {@linkcode SECTION_SPACE} where unknown. */
  readonly size: number;
}

/** A record with its PCs of modules at other addresses; those of no section of `moved` go where nothing lies. */
export function movePcs(record: TestRecord, moved: readonly MovedSection[]): TestRecord {
  const { pcs } = record;
  if (!(pcs[pcs.length - 1] >= FIRST_MODULE_ADDRESS)) return record;
  const sections = new Map(moved.map((section) => [section.address, section]));
  return withPcs(
    record,
    pcs.map((pc) => {
      if (pc < FIRST_MODULE_ADDRESS || pc >= NOWHERE) return pc;
      const offset = (pc - FIRST_MODULE_ADDRESS) % SECTION_SPACE;
      const section = sections.get(pc - offset);
      // A return address may be that of the section's end.
      return section === undefined || offset > section.size ? pc + NOWHERE : section.to + offset;
    }),
  );
}

/**
 * The record with PC `i` replaced by `pcs[i]`. Of PCs that are one now the hits are added, and each has the origins of
 * all.
 */
export function withPcs<Recorded extends RecordedPcs>(
  record: Recorded,
  pcs: Float64Array<ArrayBuffer>,
): Recorded {
  const { hits, origins, order } = record;
  const sorted = pcs.slice().sort();
  let count = 0;
  for (let index = 0; index < sorted.length; index++) {
    if (index === 0 || sorted[index] !== sorted[index - 1]) sorted[count++] = sorted[index];
  }
  const distinct = sorted.slice(0, count);
  if (hits === null && origins === undefined && order === undefined) {
    return { ...record, pcs: distinct };
  }
  const place = placesOf(pcs, distinct);
  return {
    ...record,
    pcs: distinct,
    hits: hits === null ? null : addedHits(hits, place, count),
    ...(origins === undefined ? {} : { origins: origins.map((one) => movedOrigin(one, place)) }),
    ...(order === undefined
      ? {}
      : { order: { ...order, points: order.points.map((point) => place[point]) } }),
  };
}

/** Where each of the PCs is among the distinct ones. */
function placesOf(pcs: Float64Array, distinct: Float64Array): Uint32Array {
  const place = new Uint32Array(pcs.length);
  let at = -1;
  for (let index = 0; index < pcs.length; index++) {
    // They are nearly in order, so the next one is mostly the neighbour.
    if (distinct[++at] !== pcs[index]) at = lowerBound(distinct, pcs[index]);
    place[index] = at;
  }
  return place;
}

function addedHits(hits: Uint32Array, place: Uint32Array, count: number): Uint32Array {
  const sum = new Float64Array(count);
  for (let index = 0; index < hits.length; index++) sum[place[index]] += hits[index];
  // A saturated count stays a lower bound.
  return Uint32Array.from(sum, (n) => Math.min(n, 0xffff_ffff));
}

/** The points of an origin at their new places, ascending, each once. */
function movedOrigin({ origin, points, hits }: OriginPoints, place: Uint32Array): OriginPoints {
  const sorted = points.map((point) => place[point]).sort();
  const moved = sorted.filter((point, index) => index === 0 || point !== sorted[index - 1]);
  if (hits === undefined) return { origin, points: moved };
  const sum = new Float64Array(moved.length);
  for (let i = 0; i < points.length; i++) sum[lowerBound(moved, place[points[i]])] += hits[i];
  return { origin, points: moved, hits: Uint32Array.from(sum, (n) => Math.min(n, 0xffff_ffff)) };
}

/** The modules of several runs as those of one, and the records of each run with the addresses of that one. */
export function joinModules(
  runs: readonly Pick<Run, "modules" | "records">[],
): { modules: readonly RunModule[]; records: readonly (readonly TestRecord[])[] } {
  const joined = new RunModules();
  const records = runs.map((run) => {
    const moved = run.modules.flatMap((module) => {
      const { sections } = joined.add(module, module.sections.map(({ name }) => name));
      return module.sections.map(({ address }, at) => ({
        address,
        to: sections[at].address,
        size: SECTION_SPACE,
      }));
    });
    return run.records.map((record) => movePcs(record, moved));
  });
  return { modules: joined.list, records };
}
