/** The modules of Node's library that are loaded on use. */
interface NodeBuiltins {
  readonly "node:fs": typeof import("node:fs");
  readonly "node:module": typeof import("node:module");
  readonly "node:os": typeof import("node:os");
  readonly "node:path": typeof import("node:path");
  readonly "node:zlib": typeof import("node:zlib");
}

interface ProcessGlobal {
  readonly process: { getBuiltinModule<Id extends keyof NodeBuiltins>(id: Id): NodeBuiltins[Id] };
}

/**
 * A module of Node's library, loaded when it is asked for: in Deno loading `node:fs` takes longer than starting the
 * runtime, in Bun `node:zlib` does.
 */
export function nodeBuiltin<Id extends keyof NodeBuiltins>(id: Id): NodeBuiltins[Id] {
  return (globalThis as unknown as ProcessGlobal).process.getBuiltinModule(id);
}
