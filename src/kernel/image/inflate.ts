import type { Inflate } from "../../elf/elf_file.ts";
import { nodeBuiltin } from "../../sys/node_builtins.ts";

/** Expands compressed debug sections with `node:zlib`, which both runtimes have. */
export const inflate: Inflate = function inflate(method, data, size) {
  const zlib = nodeBuiltin("node:zlib");
  const options = { maxOutputLength: size };
  return method === "zlib"
    ? zlib.inflateSync(data, options)
    : zlib.zstdDecompressSync(data, options);
};
