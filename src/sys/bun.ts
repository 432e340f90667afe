import { namedFunctions, type NativeFunction } from "./libc_functions.ts";
import { nodeBuiltin } from "./node_builtins.ts";
import type { LibcFunctions, NativeLibrary } from "./types.ts";

/** How `bun:ffi` names what differs from the table. */
function bunSymbols(functions: readonly [string, NativeFunction][]) {
  return Object.fromEntries(
    functions.map(([name, { parameters, result }]) => [
      name,
      { args: parameters.map((type) => type === "buffer" ? "ptr" : type), returns: result },
    ]),
  );
}

/**
 * Opens `library` through `bun:ffi`, with the functions `names` or all.
 *
 * @throws {Error} Whatever Bun throws where the library is missing.
 */
export function openWithBun(library: string, names?: readonly string[]): NativeLibrary {
  // Not an import: bun:ffi does not resolve in Deno, and loading must be synchronous.
  const ffi = nodeBuiltin("bun:ffi");
  const table: [string, NativeFunction][] = namedFunctions(names);
  const needed = table.filter(([, { optional }]) => !optional);
  const symbols = { ...ffi.dlopen(library, bunSymbols(needed)).symbols };
  for (const entry of table.filter(([, { optional }]) => optional)) {
    // bun:ffi throws for a missing symbol, with nothing that tells this from other failures but its text.
    try {
      Object.assign(symbols, ffi.dlopen(library, bunSymbols([entry])).symbols);
    } catch (error) {
      if (!/not found/.test(String(error))) throw error;
      symbols[entry[0]] = null;
    }
  }
  return {
    functions: symbols as unknown as LibcFunctions,
    addressOf(bytes: Uint8Array): bigint {
      return BigInt(ffi.ptr(bytes));
    },
    view(address: bigint, byteLength: number): ArrayBuffer {
      return ffi.toArrayBuffer(Number(address), 0, byteLength);
    },
  };
}
