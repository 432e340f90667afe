import { inflateSync, zstdDecompressSync } from "node:zlib";
import type { Inflate } from "../elf/elf_file.ts";

/** Expands compressed debug sections with `node:zlib`, which both runtimes have. */
export const inflate: Inflate = function inflate(method, data, size) {
  const options = { maxOutputLength: size };
  return method === "zlib" ? inflateSync(data, options) : zstdDecompressSync(data, options);
};
