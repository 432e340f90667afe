import type { Address } from "../base/address.ts";
import { indexOfSorted } from "../base/search.ts";
import { followModules } from "../kernel/follow_modules.ts";
import type { LoadedModule } from "../kernel/loaded_modules.ts";
import type { ModulePlaces } from "../kernel/module_places.ts";
import { runningKernel } from "../record/running_kernel.ts";
import { findModuleImage } from "../kernel/image/find_module_image.ts";
import type { ImageIndex } from "../symbolize/index/image_index.ts";
import { loadImageIndexSync } from "../symbolize/index/load_index.ts";
import { OpenImage } from "../kernel/image/open_image.ts";
import { framesAt } from "../symbolize/lookup/point_frames.ts";
import { loadKernelIndex } from "../run/kernel_index.ts";
import { checkFileName, checkFunctionName } from "./known_names.ts";
import type { SourceLine, Symbolizer } from "./symbolizer.ts";

/** An image's index, and a call in it. */
interface IndexedCall {
  readonly index: ImageIndex;
  /** From the index's base. */
  readonly offset: number;
}

/** A module's index, and where its sections begin in it. */
interface ModuleIndex {
  readonly index: ImageIndex;
  readonly sections: ReadonlyMap<string, { readonly address: Address; readonly size: number }>;
}

/** Answers from the indexes of the images of the running kernel and its modules. */
export class IndexSymbolizer implements Symbolizer {
  readonly #index: ImageIndex;
  readonly #places: ModulePlaces | undefined = followModules();
  /** `undefined` for modules without an image. */
  readonly #modules = new Map<LoadedModule, ModuleIndex | undefined>();

  /**
   * Loads the index of the running kernel, made first where there is none.
   *
   * @throws {KcovUnavailableError} With reason `no-image` where the kernel's image is not found.
   * @throws {FormatError} Where the image is damaged.
   */
  constructor() {
    this.#index = loadKernelIndex(runningKernel()).index;
  }

  /** Looks which modules are loaded now. */
  refresh(): void {
    this.#places?.observe();
  }

  functionsOf(pc: Address): readonly string[] {
    const { index, offset } = this.#call(pc);
    const point = indexOfSorted(index.allPointOffsets, offset);
    return point < 0 ? [] : framesAt(index, point).map((frame) => frame.function);
  }

  linesOf(pc: Address): readonly SourceLine[] {
    const { index, offset } = this.#call(pc);
    const { pointOffset, claimStart, claimLine, lineFile, lineNumber, files } = index;
    const point = indexOfSorted(pointOffset, offset);
    if (point < 0) return [];
    return Array.from(claimLine.subarray(claimStart[point], claimStart[point + 1]), (line) => ({
      file: files[lineFile[line]!]!,
      line: lineNumber[line]!,
    }));
  }

  checkFunction(name: string): void {
    checkFunctionName(this.#indexes(), name);
  }

  checkFile(file: string): void {
    checkFileName(this.#indexes(), file);
  }

  /** Those of the kernel and of all modules that are loaded now and have an image. */
  #indexes(): ImageIndex[] {
    const modules = this.#places?.loaded.modules ?? [];
    const found = modules.map((module) => this.#moduleIndex(module)?.index);
    return [this.#index, ...found.filter((index) => index !== undefined)];
  }

  /** A raw PC is a return address; the index knows calls. */
  #call(pc: Address): IndexedCall {
    const code = this.#places?.loaded.find(pc);
    const module = code === undefined ? undefined : this.#moduleIndex(code.module);
    const section = code === undefined ? undefined : module?.sections.get(code.section.name);
    const offset = code === undefined ? 0 : pc - code.section.start;
    if (module === undefined || section === undefined || offset > section.size) {
      return { index: this.#index, offset: pc - this.#index.callLength - this.#index.base };
    }
    const { index } = module;
    return { index, offset: section.address + offset - index.callLength - index.base };
  }

  #moduleIndex(module: LoadedModule): ModuleIndex | undefined {
    if (this.#modules.has(module)) return this.#modules.get(module);
    const found = findModuleImage(module);
    let loaded: ModuleIndex | undefined;
    if ("path" in found) {
      using opened = new OpenImage(found.path);
      const sections = new Map(opened.elf.sections.map((section) => [section.name, section]));
      loaded = { index: loadImageIndexSync(found.path), sections };
    }
    this.#modules.set(module, loaded);
    return loaded;
  }
}
