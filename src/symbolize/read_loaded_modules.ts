import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { type Address, parseAddress } from "../base/address.ts";
import type { ElfFile } from "../elf/elf_file.ts";
import { buildIdOfNotes } from "../elf/notes.ts";
import { kallsymsAddress } from "./kallsyms.ts";
import { type LoadedModule, parseProcModules } from "./loaded_modules.ts";

/** The modules of the running kernel. */
export interface LoadedModules {
  readonly modules: readonly LoadedModule[];
  /** Modules whose place is not known, with why: their PCs cannot be told. */
  readonly unknown: readonly string[];
}

/**
 * Reads which modules are loaded, and where.
 *
 * @param kernel the running kernel's image, to find by how much it was moved
 * @param root folder of `proc` and `sys`
 */
export function readLoadedModules(kernel: ElfFile, root = "/"): LoadedModules {
  const listed = parseProcModules(readText(join(root, "proc/modules")) ?? "");
  if (listed.length === 0) return { modules: [], unknown: [] };
  const offset = kaslrOffset(kernel, root);
  const modules: LoadedModule[] = [], unknown: string[] = [];
  for (const { name, size } of listed) {
    const folder = join(root, "sys/module", name);
    const text = parseAddress(readText(join(folder, "sections/.text")) ?? "");
    if (offset === undefined || text === undefined || text === 0) {
      unknown.push(
        `${name}: the kernel hides its addresses: run as root with kernel.kptr_restrict at 0 or 1`,
      );
      continue;
    }
    modules.push({ name, textStart: text - offset, size, buildId: moduleBuildId(folder) });
  }
  return { modules, unknown };
}

/**
 * By how much the running kernel lies above where it was linked; `undefined` where it hides that. A secret of the
 * machine: it must not be written anywhere.
 */
export function kaslrOffset(kernel: ElfFile, root = "/"): number | undefined {
  const symbols = kernel.symbols();
  const [linked] = symbols.indexesOf("_stext");
  if (linked === undefined) return undefined;
  const running = findInKallsyms(join(root, "proc/kallsyms"), "_stext");
  return running === undefined ? undefined : running - symbols.address[linked];
}

function moduleBuildId(folder: string): string {
  try {
    return buildIdOfNotes(readFileSync(join(folder, "notes/.note.gnu.build-id"))) ?? "";
  } catch {
    return "";
  }
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

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
