import type { LIBC_FUNCTIONS, NativeFunction, NativeType } from "./libc_functions.ts";

/** Memory that JavaScript holds and C reads or writes during one call; `null` is C's `NULL`. */
export type NativeBuffer = Uint8Array | null;

type Argument<Type extends NativeType> = Type extends "i32" ? number
  : Type extends "buffer" ? NativeBuffer
  : bigint;

type Result<Type extends NativeType> = Type extends "i32" ? number
  : Type extends "void" ? void
  : bigint;

type Arguments<Types extends readonly NativeType[]> = {
  -readonly [Index in keyof Types]: Argument<Types[Index]>;
};

/** A loaded C function: `i32` is a number, `i64` and `u64` (addresses too) are bigints. */
export type LoadedFunction<Description extends NativeFunction> = (
  ...values: Arguments<Description["parameters"]>
) => Result<Description["result"]>;

/** The functions of `LIBC_FUNCTIONS`, ready to call. Optional ones are `null` where this libc lacks them. */
export type LibcFunctions = {
  readonly [Name in keyof typeof LIBC_FUNCTIONS]: (typeof LIBC_FUNCTIONS)[Name] extends
    { optional: true } ? LoadedFunction<(typeof LIBC_FUNCTIONS)[Name]> | null
    : LoadedFunction<(typeof LIBC_FUNCTIONS)[Name]>;
};

/** The part of the port that each runtime writes for itself. */
export interface NativeMemory {
  /**
   * The address of the first byte. It stays valid only as long as the caller keeps `bytes` reachable, and the
   * array must not be resized or transferred meanwhile.
   */
  addressOf(bytes: Uint8Array): bigint;
  /** Memory that C owns as an `ArrayBuffer`, without a copy. The caller detaches it before the memory goes. */
  view(address: bigint, byteLength: number): ArrayBuffer;
}

/** What a runtime's backend opens: the functions, and access to memory. */
export interface NativeLibrary extends NativeMemory {
  readonly functions: LibcFunctions;
}

/**
 * libc as this library sees it, the same in every runtime. A function that fails returns what C returns; read
 * {@linkcode Libc.errno} before the next call, or let `check` of `errno.ts` do so.
 */
export interface Libc extends LibcFunctions, NativeMemory {
  /** The calling thread's errno as the last of these functions left it, whatever the runtime did since. */
  errno(): number;
  /** Kernel id of the calling thread, also where libc has no `gettid`. */
  threadId(): number;
}

/** The functions `Name` of libc, and what comes with any of them. */
export type LibcPart<Name extends keyof LibcFunctions> =
  & Pick<LibcFunctions, Name | "syscall">
  & Pick<Libc, "addressOf" | "view" | "errno" | "threadId">;

/** What a failed `mmap` returns: `(void *) -1`. */
export const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
