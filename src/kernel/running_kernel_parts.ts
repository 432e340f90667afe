import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Address } from "../base/address.ts";
import type { ElfFile } from "../elf/elf_file.ts";
import { tryReadText } from "../sys/files.ts";
import { kernelOffset } from "./kernel_offset.ts";
import { type LoadedModule, parseProcModules, readLoadedModule } from "./loaded_modules.ts";
import { MemoryAreas } from "./memory_areas.ts";
import { ModuleMap } from "./module_map.ts";
import {
  findModuleImage,
  type ModuleImage,
  type ModuleImageQuery,
} from "./image/find_module_image.ts";
import { type Kallsyms, kallsymsAddress, parseKallsyms } from "./kallsyms.ts";

/** What is known of a kernel beside its image. */
export interface RunningKernelParts {
  /** The modules that were loaded when the PCs were recorded. */
  readonly modules?: ModuleMap;
  /** Finds the file of a module; by default none is found. */
  readonly moduleImage?: (module: LoadedModule) => ModuleImage;
  /**
   * Reads the running kernel's own symbols, for PCs of which there is no image, and tells by how much that kernel was
   * moved; called where there are such PCs.
   */
  readonly kallsyms?: () => { readonly symbols: Kallsyms; readonly offset: number };
}

/**
 * What the running kernel tells of itself: its modules, and its symbols. Nothing where it hides by how much it was moved,
 * or has no modules and no symbols.
 *
 * @param kernel its image, which helps to find by how much it was moved
 * @param query where modules may be; `root` also is the folder of `proc` and `sys`
 */
export function runningKernelParts(
  kernel: ElfFile | undefined,
  query: ModuleImageQuery = {},
): RunningKernelParts {
  const { root = "/" } = query;
  const offset = kernelOffset(root) ??
    (kernel === undefined ? undefined : kaslrOffset(kernel, root));
  const listed = parseProcModules(tryReadText(join(root, "proc/modules")) ?? "");
  const areas = MemoryAreas.read(root);
  const modules = listed.map((module) => readLoadedModule(module, offset, areas, root));
  return {
    modules: new ModuleMap(modules),
    moduleImage: (module) => findModuleImage(module, query),
    ...(offset === undefined ? {} : {
      kallsyms: () => ({
        symbols: parseKallsyms(tryReadText(join(root, "proc/kallsyms")) ?? ""),
        offset,
      }),
    }),
  };
}

/**
 * The running kernel's offset from its image's link address; `undefined` where it hides that. A secret of the
 * machine: it must not be written anywhere.
 */
export function kaslrOffset(kernel: ElfFile, root = "/"): number | undefined {
  const symbols = kernel.symbols();
  const [linked] = symbols.indexesOf("_stext");
  if (linked === undefined) return undefined;
  const running = findInKallsyms(join(root, "proc/kallsyms"), "_stext");
  return running === undefined ? undefined : running - symbols.address[linked];
}

/** Looks for a symbol from the front: the kernel makes the text line by line, and the first symbols are enough. */
function findInKallsyms(path: string, name: string): Address | undefined {
  let handle: number;
  try {
    handle = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const bytes = new Uint8Array(1 << 16);
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const count = readSync(handle, bytes, 0, bytes.length, null);
      text += decoder.decode(bytes.subarray(0, count), { stream: true });
      const lines = count === 0 ? text : text.slice(0, text.lastIndexOf("\n"));
      const address = kallsymsAddress(lines, name);
      if (address !== undefined || count === 0) return address;
      // A hidden table is all zeros: no need to read on.
      if (new RegExp(`^0+ [a-zA-Z] ${name}$`, "m").test(lines)) return undefined;
      text = text.slice(lines.length);
    }
  } finally {
    closeSync(handle);
  }
}
