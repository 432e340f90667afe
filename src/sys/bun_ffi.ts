/** The parts of `bun:ffi` used here, declared so that no other runtime needs Bun's types. */
export interface BunFfi {
  dlopen(
    library: string,
    symbols: Record<string, { args: readonly string[]; returns: string }>,
  ): { symbols: Record<string, unknown> };
  ptr(bytes: Uint8Array): number | bigint;
  toArrayBuffer(pointer: number, byteOffset: number, byteLength: number): ArrayBuffer;
}
