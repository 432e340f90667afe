import type { Address } from "../base/address.ts";
import { tryReadText } from "../sys/files.ts";
import { kernelOffset } from "./kernel_offset.ts";
import {
  type LoadedModule,
  moduleInstance,
  parseProcModules,
  readLoadedModule,
} from "./loaded_modules.ts";
import { MemoryAreas } from "./memory_areas.ts";
import { ModuleMap } from "./module_map.ts";
import type { FollowedModules, TimedPcs } from "../record/run_writer.ts";
import { movedComparisons, RunModules, withPcs } from "../record/run_modules.ts";
import type { RunModule } from "../record/test_record.ts";

/** Time that may pass between the end of a test and its record. */
const WRITTEN_WITHIN_MS = 100;
const NO_MODULES: ReadonlySet<LoadedModule> = new Set();

/** The modules that were loaded from one moment on. */
interface Snapshot {
  /** Milliseconds. */
  readonly from: number;
  readonly map: ModuleMap;
}

/**
 * Follows which modules of the running kernel are loaded, and puts the PCs of records at the addresses that records have
 * for them. A kernel without modules costs one look.
 */
export class ModulePlaces implements FollowedModules {
  readonly #root: string;
  readonly #now: () => number;
  readonly #run = new RunModules();
  readonly #known = new Map<LoadedModule, RunModule>();
  readonly #snapshots: Snapshot[] = [];
  /** The text of `/proc/modules` when it was last read; `undefined` where this kernel has none. */
  #text: string | undefined = "";
  #loaded: ReadonlyMap<string, LoadedModule> = new Map();
  #offset: number | undefined;

  /**
   * @param root folder of `proc` and `sys`
   * @param now milliseconds of the clock that the durations of records are by
   */
  constructor(root = "/", now: () => number = () => performance.now()) {
    this.#root = root;
    this.#now = now;
  }

  /** All modules that were seen, in the order in which they were. */
  get modules(): readonly RunModule[] {
    return this.#run.list;
  }

  /** How many modules were seen. */
  get size(): number {
    return this.#run.size;
  }

  /** The modules that were loaded when last looked. */
  get loaded(): ModuleMap {
    return this.#snapshots.at(-1)?.map ?? new ModuleMap([]);
  }

  /** Notes which modules are loaded now. */
  observe(): void {
    this.#observe(NO_MODULES);
  }

  /**
   * A record that has just ended, with its raw PCs in modules at the addresses that records have for them. A PC that may
   * be of either of two modules, which were at one place at different times of the test, stays as it is.
   */
  place<Recorded extends TimedPcs>(record: Recorded): Recorded {
    this.observe();
    if (this.#run.size === 0) return record;
    const met = new Set<LoadedModule>();
    const { loaded } = this;
    const { comparisons } = record;
    for (const pcs of [record.pcs, comparisons?.pcs ?? []]) {
      for (let at = 0; at < pcs.length; at++) {
        const module = loaded.find(pcs[at])?.module;
        if (module !== undefined) met.add(module);
      }
    }
    // A reloaded module may have its old address and be another build: /proc/modules does not tell.
    const stale = [...met].filter(({ name, instance }) =>
      moduleInstance(name, this.#root) !== instance
    );
    if (stale.length > 0) this.#observe(new Set(stale));
    const maps = this.#mapsOf(record);
    let moved = 0;
    const pcs = record.pcs.map((pc) => {
      const place = this.#placeOf(pc, maps);
      if (place !== pc) moved++;
      return place;
    });
    const compared = comparisons === undefined
      ? record
      : { ...record, comparisons: movedComparisons(comparisons, (pc) => this.#placeOf(pc, maps)) };
    return moved === 0 ? compared : withPcs(compared, pcs);
  }

  #observe(stale: ReadonlySet<LoadedModule>): void {
    if (this.#text === undefined) return;
    const text = tryReadText(`${this.#root}/proc/modules`);
    if (text === this.#text && stale.size === 0) return;
    this.#text = text;
    const loaded = new Map<string, LoadedModule>();
    let areas: MemoryAreas | undefined;
    for (const listed of parseProcModules(text ?? "")) {
      if (listed.state === "Loading") continue;
      const key = `${listed.name} ${listed.size} ${listed.address}`;
      const known = this.#loaded.get(key);
      if (known !== undefined && !stale.has(known)) loaded.set(key, known);
      else {
        this.#offset ??= kernelOffset(this.#root);
        areas ??= MemoryAreas.read(this.#root);
        loaded.set(key, readLoadedModule(listed, this.#offset, areas, this.#root));
      }
    }
    const modules = [...loaded.values()], before = new Set(this.#loaded.values());
    this.#loaded = loaded;
    if (modules.length === before.size && modules.every((module) => before.has(module))) return;
    for (const module of modules) this.#ofRun(module);
    this.#snapshots.push({ from: this.#now(), map: new ModuleMap(modules) });
  }

  /** The modules at the start of a record's test and at each change since. */
  #mapsOf({ durationMs }: TimedPcs): ModuleMap[] {
    const begin = this.#now() - durationMs - WRITTEN_WITHIN_MS;
    const first = this.#snapshots.findLastIndex(({ from }) => from <= begin);
    return this.#snapshots.slice(Math.max(0, first)).map(({ map }) => map);
  }

  #placeOf(pc: Address, maps: readonly ModuleMap[]): Address {
    let place: Address | undefined;
    for (const map of maps) {
      const code = map.find(pc);
      if (code === undefined) continue;
      const { sections } = this.#ofRun(code.module);
      const at = code.module.sections.indexOf(code.section);
      const found = sections[at].address + (pc - code.section.start);
      if (place !== undefined && place !== found) return pc;
      place = found;
    }
    return place ?? pc;
  }

  #ofRun(module: LoadedModule): RunModule {
    let known = this.#known.get(module);
    if (known === undefined) {
      known = this.#run.add(module, module.sections.map(({ name }) => name));
      this.#known.set(module, known);
    }
    return known;
  }
}
