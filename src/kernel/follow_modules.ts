import { pathExists } from "../sys/files.ts";
import { requireSource } from "../sys/node_builtins.ts";
import type { ModulePlaces } from "./module_places.ts";

/**
 * Follows the modules of the running kernel from now on; `undefined` where it has none. What follows them is loaded only
 * then: each thread that runs tests loads this.
 */
export function followModules(): ModulePlaces | undefined {
  if (!pathExists("/proc/modules")) return undefined;
  const { ModulePlaces } = requireSource(import.meta.url, "kernel/module_places") as {
    ModulePlaces: new () => ModulePlaces;
  };
  const places = new ModulePlaces();
  places.observe();
  return places;
}
