import { namedFunctions } from "./libc_functions.ts";
import type { LibcFunctions, NativeLibrary } from "./types.ts";

/** Deno's opaque pointer object. */
type DenoPointer = object | null;

/** The parts of `Deno` used here, declared so that no other runtime needs Deno's types. */
interface DenoFfi {
  dlopen(
    library: string,
    symbols: Record<string, { parameters: readonly string[]; result: string; optional?: boolean }>,
  ): { symbols: Record<string, unknown> };
  readonly UnsafePointer: {
    of(value: Uint8Array): DenoPointer;
    create(value: bigint): DenoPointer;
    value(pointer: DenoPointer): bigint;
  };
  readonly UnsafePointerView: {
    getArrayBuffer(pointer: DenoPointer, byteLength: number): ArrayBuffer;
  };
}

/**
 * Opens `library` through `Deno.dlopen`, with the functions `names` or all.
 *
 * @throws {Error} Whatever Deno throws where the library or the permission `--allow-ffi` is missing.
 */
export function openWithDeno(library: string, names?: readonly string[]): NativeLibrary {
  const deno = (globalThis as unknown as { Deno: DenoFfi }).Deno;
  const symbols = Object.fromEntries(
    namedFunctions(names).map(([name, { parameters, result, optional }]) => [
      name,
      { parameters, result, optional: optional ?? false },
    ]),
  );
  return {
    functions: deno.dlopen(library, symbols).symbols as unknown as LibcFunctions,
    addressOf(bytes: Uint8Array): bigint {
      // V8 keeps small arrays inside the movable heap until their buffer is asked for.
      void bytes.buffer;
      return deno.UnsafePointer.value(deno.UnsafePointer.of(bytes));
    },
    view(address: bigint, byteLength: number): ArrayBuffer {
      const pointer = deno.UnsafePointer.create(address);
      return deno.UnsafePointerView.getArrayBuffer(pointer, byteLength);
    },
  };
}
