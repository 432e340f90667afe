/** The parts of `bun:ffi` used here, declared so that no other runtime needs Bun's types. */
interface BunFfi {
  dlopen(
    library: string,
    symbols: Record<string, { args: readonly string[]; returns: string }>,
  ): { symbols: Record<string, unknown> };
  ptr(bytes: Uint8Array): number | bigint;
  toArrayBuffer(pointer: number, byteOffset: number, byteLength: number): ArrayBuffer;
}

/** The built-in modules that are loaded on use. */
interface Builtins {
  readonly "bun:ffi": BunFfi;
  readonly "node:fs": typeof import("node:fs");
  readonly "node:module": typeof import("node:module");
  readonly "node:os": typeof import("node:os");
  readonly "node:path": typeof import("node:path");
  readonly "node:util": typeof import("node:util");
  readonly "node:zlib": typeof import("node:zlib");
}

interface ProcessGlobal {
  readonly process: { getBuiltinModule<Id extends keyof Builtins>(id: Id): Builtins[Id] };
}

/**
 * A module of the runtime, loaded when it is asked for: in Deno loading `node:fs` takes longer than starting the
 * runtime, in Bun `node:zlib` does.
 */
export function nodeBuiltin<Id extends keyof Builtins>(id: Id): Builtins[Id] {
  return (globalThis as unknown as ProcessGlobal).process.getBuiltinModule(id);
}

/**
 * A module of `src`, loaded when it is asked for, and at once: tests begin synchronously.
 *
 * @param url Any module of `src`: in a package it may be another than the one that is written to ask, joined with it.
 * @param path Path of the wanted module in `src`, without extension: that of `url`, which differs in a package.
 */
export function requireSource(url: string, path: string): unknown {
  const root = url.slice(0, url.lastIndexOf("/src/") + "/src/".length);
  const extension = url.endsWith(".ts") ? "ts" : "js";
  return nodeBuiltin("node:module").createRequire(`${root}any`)(`./${path}.${extension}`);
}
