import { KcovUnavailableError } from "../errors.ts";
import type { Symbolizer } from "./symbolizer.ts";

/**
 * The symbolizer of the running kernel, opened on first use by a question about a test's coverage, then remembered.
 *
 * @throws {KcovUnavailableError} With reason `no-image` where the kernel's image is not found.
 */
export function openSymbolizer(): Symbolizer {
  throw new KcovUnavailableError(
    "no-image",
    "Cannot name the kernel's functions: its image is not known: set KERNELCOV_VMLINUX to a vmlinux with debug information",
  );
}
