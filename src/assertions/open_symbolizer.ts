import { requireSource } from "../sys/node_builtins.ts";
import type { IndexSymbolizer } from "./index_symbolizer.ts";
import type { Symbolizer } from "./symbolizer.ts";

let opened: IndexSymbolizer | undefined;

/**
 * The symbolizer of the running kernel, opened on first use by a question about a test's coverage, then remembered.
 *
 * @throws {KcovUnavailableError} With reason `no-image` where the kernel's image is not found.
 * @throws {FormatError} Where the image is damaged.
 */
export function openSymbolizer(): Symbolizer {
  opened ??= newSymbolizer();
  opened.refresh();
  return opened;
}

function newSymbolizer(): IndexSymbolizer {
  // Not an import: few tests ask, and every thread that runs tests would load what reads images and DWARF.
  const loaded = requireSource(import.meta.url, "assertions/index_symbolizer") as {
    readonly IndexSymbolizer: new () => IndexSymbolizer;
  };
  return new loaded.IndexSymbolizer();
}
