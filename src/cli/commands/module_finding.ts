import type { KcovFinding } from "../../kernel/kcov_availability.ts";
import { ModulePlaces } from "../../kernel/module_places.ts";
import { findModuleImage, type ModuleImageQuery } from "../../kernel/image/find_module_image.ts";

/**
 * What is known of the running kernel's modules: whether their points can be told, and whether their images are there.
 *
 * @param query where modules may be; `root` also is the folder of `proc` and `sys`
 * @returns `undefined` where none is loaded
 */
export function moduleFinding(query: ModuleImageQuery = {}): KcovFinding | undefined {
  const subject = "modules";
  const places = new ModulePlaces(query.root);
  places.observe();
  const { modules } = places;
  if (modules.length === 0) return undefined;
  const loaded = `${modules.length} loaded`;
  const hidden = modules.filter(({ hidden }) => hidden !== undefined);
  if (hidden.length > 0) {
    const [why, change] = hidden[0].hidden!.split(": ");
    return {
      subject,
      ok: undefined,
      found: `${loaded}, ${hidden.length} not placed: ${why}`,
      change,
    };
  }
  const missing = modules.flatMap((module) => {
    const found = findModuleImage(module, query);
    return "missing" in found ? [`${module.name}: ${found.missing}`] : [];
  });
  if (missing.length === 0) return { subject, ok: true, found: `${loaded}, all with an image` };
  return {
    subject,
    ok: undefined,
    found: `${loaded}, ${missing.length} without an image (${
      missing[0]
    }), whose points are not counted`,
    change: "install the kernel's debug package, or set KERNELCOV_MODULES to a folder with them",
  };
}
