import type { Address } from "../base/address.ts";
import type { LoadedModule } from "./loaded_modules.ts";
import type { ModuleCode } from "./module_map.ts";

/** Addresses and sizes of the sections of a module's image, by name. */
export type ImageSections = ReadonlyMap<
  string,
  { readonly address: Address; readonly size: number }
>;

/** A section of an image, or of its index. */
interface NamedSection {
  readonly name: string;
  readonly address: Address;
  readonly size: number;
}

/** Sections by name. */
export function imageSections(sections: readonly NamedSection[]): ImageSections {
  return new Map(sections.map((section) => [section.name, section]));
}

/**
 * The address that a raw PC in a loaded module has in the module's image; `undefined` where it is in none of the image's
 * sections. The kernel does not tell where a section ends: the image does, and a return address may be that end.
 */
export function imageAddress(
  pc: Address,
  { section }: ModuleCode,
  sections: ImageSections,
): Address | undefined {
  const found = sections.get(section.name);
  const offset = pc - section.start;
  return found === undefined || offset > found.size ? undefined : found.address + offset;
}

/** What is made of the images of modules, each when it is asked for first. */
export class ModuleImages<Image> {
  readonly #load: (module: LoadedModule) => Image | undefined;
  readonly #loaded = new Map<LoadedModule, Image | undefined>();

  /** @param load gives `undefined` where a module has no image */
  constructor(load: (module: LoadedModule) => Image | undefined) {
    this.#load = load;
  }

  /** What is made of a module's image; `undefined` where it has none. */
  of(module: LoadedModule): Image | undefined {
    if (!this.#loaded.has(module)) this.#loaded.set(module, this.#load(module));
    return this.#loaded.get(module);
  }

  /** Gives away all that was made. */
  *take(): Generator<Image> {
    for (const image of this.#loaded.values()) if (image !== undefined) yield image;
    this.#loaded.clear();
  }
}
