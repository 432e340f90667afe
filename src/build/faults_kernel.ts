import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KernelDefinition } from "./build_kernel.ts";
import { RECIPE_FOLDER } from "./kernel_folder.ts";

/** The kernel for allocations that fail in turn: the embedded one with fault injection. */
export function faultsKernel(): KernelDefinition {
  return {
    name: "faults",
    fragment: readFileSync(join(RECIPE_FOLDER, "kernels/faults.config"), "utf8"),
  };
}
