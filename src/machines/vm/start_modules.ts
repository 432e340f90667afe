import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { MODULE_OPTIONS } from "../../build/vm/missing_options.ts";

/**
 * Paths of the modules without which a machine does not start, in the order in which they can be loaded; none where the
 * kernel has all of that built in.
 *
 * @param folder with `modules.dep`, as depmod(8) makes it; `undefined` for no modules
 */
export function startModules(folder: string | undefined): string[] {
  const list = folder === undefined ? "" : join(folder, "modules.dep");
  if (folder === undefined || !existsSync(list)) return [];
  const needs = new Map(
    readFileSync(list, "utf8").split("\n").filter((line) => line.includes(":")).map((line) => {
      const [path, rest] = line.split(":");
      return [moduleName(path!), [path!, rest!.trim().split(/\s+/).filter(Boolean)]] as const;
    }),
  );
  const ordered = new Set<string>();
  for (const name of MODULE_OPTIONS.values()) {
    const [path, before] = needs.get(name) ?? [];
    if (path === undefined || before === undefined) continue;
    // What a module needs is named from the nearest to the farthest.
    for (const each of before.toReversed()) ordered.add(each);
    ordered.add(path);
  }
  return [...ordered].map((path) => join(folder, path));
}

/** Whether a line of a configuration asks for what a module of these is too. */
export function isStartModule(line: string, modules: readonly string[]): boolean {
  const name = MODULE_OPTIONS.get(/CONFIG_\w+/.exec(line)?.[0] ?? "");
  return name !== undefined && modules.some((path) => moduleName(path) === name);
}

/** `kernel/fs/9p/9p.ko.zst` as `9p`. */
function moduleName(path: string): string {
  return basename(path).replace(/\.ko(?:\.\w+)?$/, "").replaceAll("-", "_");
}
