import { type Address, parseAddress } from "../base/address.ts";
import { listFolder, tryReadText } from "../sys/files.ts";
import { nodeBuiltin } from "../sys/node_builtins.ts";
import { buildIdInFile } from "./image/notes_file.ts";
import type { MemoryAreas } from "./memory_areas.ts";

/** A section of a loaded module's code. */
export interface LoadedSection {
  readonly name: string;
  /** Raw PC at which it begins. */
  readonly start: Address;
  /** It ends here or before: the kernel does not tell where. */
  readonly limit: Address;
}

/**
 * A module that is loaded, where raw PCs have it: KCOV takes the kernel's random offset off the addresses of modules
 * too, so these are not the addresses of the running code. They reveal that offset nearly, as modules are loaded within a
 * few MiB: they must not be written anywhere either.
 */
export interface LoadedModule {
  readonly name: string;
  /** Lower-case hexadecimal; empty where the kernel does not tell. */
  readonly buildId: string;
  /** Differs between two times that it was loaded. */
  readonly instance: number;
  /** Its code without start-up code, which is freed and may have been replaced by other code. */
  readonly sections: readonly LoadedSection[];
  /** Why nothing is known of its place; absent where it is. */
  readonly hidden?: string;
}

/** A line of `/proc/modules`. */
export interface ProcModule {
  readonly name: string;
  /** Bytes of all its sections together, which lie in several places. */
  readonly size: number;
  /** `Live`, or `Loading` or `Unloading` in between. */
  readonly state: string;
  /** Where its code's memory begins, which need not be its `.text`; 0 where hidden. */
  readonly address: Address;
}

/** Reads the text of `/proc/modules`: name, size, users, their names, state, address. */
export function parseProcModules(text: string): ProcModule[] {
  const modules: ProcModule[] = [];
  for (const line of text.split("\n")) {
    const match = /^(\S+) (\d+) \S+ \S+ (\S+) 0x([0-9a-f]+)/.exec(line);
    if (match === null) continue;
    const [, name, size, state, address] = match;
    modules.push({ name, size: Number(size), state, address: parseAddress(address) ?? 0 });
  }
  return modules;
}

const SMALL = 1 << 16;
const OFFSET_UNKNOWN =
  "the kernel does not tell by how much it was moved: run with CAP_SYS_RAWIO, on a kernel with CONFIG_PROC_KCORE";
const SECTIONS_HIDDEN =
  "the kernel hides its addresses: run as root with kernel.kptr_restrict at 0 or 1, on a kernel with CONFIG_KALLSYMS";

/**
 * Reads where a module of `/proc/modules` lies.
 *
 * @param offset by how much the kernel was moved; `undefined` where unknown
 * @param areas the kernel's memory, as it is with this module
 * @param root folder of `sys`
 */
export function readLoadedModule(
  { name, size }: ProcModule,
  offset: number | undefined,
  areas: MemoryAreas,
  root = "/",
): LoadedModule {
  const folder = `${root}/sys/module/${name}`;
  const module = {
    name,
    size,
    buildId: buildIdInFile(`${folder}/notes/.note.gnu.build-id`),
    instance: moduleInstance(name, root),
  };
  if (offset === undefined) return { ...module, sections: [], hidden: OFFSET_UNKNOWN };
  const sections: LoadedSection[] = [];
  for (const section of codeSectionNames(folder)) {
    const start = parseAddress(tryReadText(`${folder}/sections/${section}`) ?? "") ?? 0;
    if (start === 0) continue;
    const limit = Math.min(start + longestOf(section, size), areas.endAt(start));
    sections.push({ name: section, start: start - offset, limit: limit - offset });
  }
  return sections.length > 0 ? { ...module, sections } : {
    ...module,
    sections,
    hidden: SECTIONS_HIDDEN,
  };
}

/** Distinguishes two loads of one module: sysfs gives its folder a new number. -1 where it is not loaded. */
export function moduleInstance(name: string, root = "/"): number {
  const { statSync } = nodeBuiltin("node:fs");
  return statSync(`${root}/sys/module/${name}`, { throwIfNoEntry: false })?.ino ?? -1;
}

/** More bytes than a section of a module of `size` bytes has. Code that runs once at the end, and trampolines, is little. */
function longestOf(section: string, size: number): number {
  return section === ".exit.text" || section === ".static_call.text" ? Math.min(size, SMALL) : size;
}

function codeSectionNames(folder: string): string[] {
  try {
    return listFolder(`${folder}/sections`)
      .filter((name) => name.includes("text") && !name.startsWith(".init")).sort();
  } catch {
    return [];
  }
}
