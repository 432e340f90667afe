import type { Address } from "../base/address.ts";
import { indexOfSorted } from "../base/search.ts";
import { followModules } from "../kernel/follow_modules.ts";
import { imageAddress, ModuleImages } from "../kernel/module_images.ts";
import type { ModulePlaces } from "../kernel/module_places.ts";
import { runningKernel } from "../kernel/running_kernel.ts";
import { findModuleImage } from "../kernel/image/find_module_image.ts";
import type { ImageIndex } from "../symbolize/index/image_index.ts";
import { framesAt } from "../symbolize/lookup/point_frames.ts";
import { loadKernelIndex, loadModuleIndex } from "../run/kernel_index.ts";
import { OriginAnswers } from "./origin_answers.ts";
import { checkFileName, checkFunctionName } from "./known_names.ts";
import { framesOfCalls } from "../symbolize/lookup/code_frames.ts";
import type { Frame, SourceLine, Symbolizer } from "./symbolizer.ts";

/** An image's index, and a call in it. */
interface IndexedCall {
  readonly index: ImageIndex;
  /** From the index's base. */
  readonly offset: number;
}

/** Answers from the indexes of the images of the running kernel and its modules. */
export class IndexSymbolizer extends OriginAnswers implements Symbolizer {
  readonly #index: ImageIndex;
  /** Of the kernel's image; absent where only its index is left. */
  readonly #path: string | undefined;
  /** Those that were asked for. */
  readonly #frames = new Map<Address, readonly Frame[]>();
  readonly #places: ModulePlaces | undefined = followModules();
  readonly #modules = new ModuleImages((module) => {
    const found = findModuleImage(module);
    return "path" in found ? loadModuleIndex(found.path) : undefined;
  });

  /**
   * Loads the index of the running kernel, made first where there is none.
   *
   * @throws {KcovUnavailableError} With reason `no-image` where the kernel's image is not found.
   * @throws {FormatError} Where the image is damaged.
   */
  constructor() {
    super(runningKernel().machine);
    const { index, path } = loadKernelIndex(runningKernel());
    this.#index = index;
    this.#path = path;
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
      file: files[lineFile[line]],
      line: lineNumber[line],
    }));
  }

  framesOf(pcs: Iterable<Address>): ReadonlyMap<Address, readonly Frame[]> {
    const unknown = new Set(pcs);
    for (const pc of this.#frames.keys()) unknown.delete(pc);
    const byImage = new Map<string, Map<Address, Address>>();
    for (const pc of unknown) {
      const place = this.#imagePlace(pc);
      if (place === undefined) continue;
      const { path, address } = place;
      const known = byImage.get(path);
      if (known === undefined) byImage.set(path, new Map([[address, pc]]));
      else known.set(address, pc);
    }
    for (const [path, places] of byImage) {
      for (const [address, frames] of framesOfCalls(path, places.keys())) {
        this.#frames.set(places.get(address)!, frames);
      }
    }
    return this.#frames;
  }

  /** The image that a raw PC is in, and which address of it is. */
  #imagePlace(pc: Address): { readonly path: string; readonly address: Address } | undefined {
    const code = this.#places?.loaded.find(pc);
    if (code === undefined) {
      return this.#path === undefined ? undefined : { path: this.#path, address: pc };
    }
    const module = this.#modules.of(code.module);
    const address = module && imageAddress(pc, code, module.sections);
    const found = findModuleImage(code.module);
    return address === undefined || !("path" in found) ? undefined : { path: found.path, address };
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
    const found = modules.map((module) => this.#modules.of(module)?.index);
    return [this.#index, ...found.filter((index) => index !== undefined)];
  }

  /** A raw PC is a return address; the index knows calls. */
  #call(pc: Address): IndexedCall {
    const code = this.#places?.loaded.find(pc);
    const module = code === undefined ? undefined : this.#modules.of(code.module);
    const address = code && module && imageAddress(pc, code, module.sections);
    const index = address === undefined ? this.#index : module!.index;
    return { index, offset: (address ?? pc) - index.callLength - index.base };
  }
}
