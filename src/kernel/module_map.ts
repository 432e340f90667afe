import type { Address } from "../base/address.ts";
import { upperBound } from "../base/search.ts";
import type { LoadedModule, LoadedSection } from "./loaded_modules.ts";

/** A section of a module that a PC lies in. */
export interface ModuleCode {
  readonly module: LoadedModule;
  readonly section: LoadedSection;
}

/** Finds the module of a raw PC, among those that were loaded at one moment. */
export class ModuleMap {
  readonly modules: readonly LoadedModule[];
  readonly #code: readonly ModuleCode[];
  readonly #start: Float64Array;
  readonly #end: Float64Array;

  constructor(modules: readonly LoadedModule[]) {
    this.modules = modules;
    this.#code = modules
      .flatMap((module) => module.sections.map((section) => ({ module, section })))
      .sort((a, b) => a.section.start - b.section.start);
    this.#start = Float64Array.from(this.#code, ({ section }) => section.start);
    this.#end = Float64Array.from(
      this.#code,
      ({ section }, at) => Math.min(section.limit, this.#start[at + 1] ?? Infinity),
    );
  }

  /**
   * The section that a raw PC lies in. It may be behind the section's real end, which only its image
   * tells.
   *
   * @param pc a return address, so it is the byte before it that counts
   */
  find(pc: Address): ModuleCode | undefined {
    const start = this.#start;
    // Nearly all PCs are the kernel's own: below all modules on x86-64, above them on arm64.
    if (start.length === 0 || pc <= start[0]) return undefined;
    const at = upperBound(start, pc - 1) - 1;
    return pc <= this.#end[at] ? this.#code[at] : undefined;
  }
}
