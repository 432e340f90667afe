import { type Address, parseAddress } from "../base/address.ts";

/**
 * Where a module's code was, as raw PCs have it. KCOV takes the kernel's random offset off module addresses too, so this
 * is not an address at which anything lies, and says nothing of that offset.
 */
export interface LoadedModule {
  readonly name: string;
  /** Raw PC at which the module's `.text` begins. */
  readonly textStart: Address;
  /** Bytes of the module in memory: more than its `.text`. */
  readonly size: number;
  /** Lower-case hexadecimal; empty where the kernel does not tell. */
  readonly buildId: string;
}

/** A line of `/proc/modules`. */
export interface ProcModule {
  readonly name: string;
  readonly size: number;
  /** Where its memory begins, which need not be its `.text`; 0 where hidden. */
  readonly address: Address;
}

/** Reads the text of `/proc/modules`: name, size, users, their names, state, address. */
export function parseProcModules(text: string): ProcModule[] {
  const modules: ProcModule[] = [];
  for (const line of text.split("\n")) {
    const match = /^(\S+) (\d+) \S+ \S+ \S+ 0x([0-9a-f]+)/.exec(line);
    if (match === null) continue;
    modules.push({ name: match[1], size: Number(match[2]), address: parseAddress(match[3]) ?? 0 });
  }
  return modules;
}

/**
 * The modules of several moments of a run (before and after it, or each test) as one list: a module that was loaded or
 * moved in between is in it once for each place.
 */
export function mergeModules(...lists: readonly (readonly LoadedModule[])[]): LoadedModule[] {
  const modules = new Map(
    lists.flat().map((module) => [`${module.name} ${module.textStart} ${module.buildId}`, module]),
  );
  return [...modules.values()].sort((a, b) => a.textStart - b.textStart);
}

/**
 * The module that a raw PC is in; `undefined` where it is in none, and where it is in two that were at one place at
 * different times: nobody can tell which.
 */
export function moduleOfPc(
  modules: readonly LoadedModule[],
  pc: Address,
): LoadedModule | undefined {
  const found = modules.filter(({ textStart, size }) => pc >= textStart && pc < textStart + size);
  return found.length === 1 ? found[0] : undefined;
}
