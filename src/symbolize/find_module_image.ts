import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { basename, join } from "node:path";
import type { LoadedModule } from "./loaded_modules.ts";
import { OpenImage } from "./open_image.ts";

/**
 * Finds the file of a module with its debug information: a separate debug file by build id, the debug package's copy, or
 * the module itself.
 *
 * @param root folder of `lib` and `usr`
 * @returns `undefined` where there is none of the module's build id
 */
export function findModuleImage(
  module: LoadedModule,
  kernelRelease: string = release(),
  root = "/",
): string | undefined {
  const folder = join(root, "lib/modules", kernelRelease);
  const path = moduleFile(folder, module.name);
  const places: string[] = [];
  const { buildId } = module;
  if (path !== undefined) {
    const plain = path.replace(/\.(gz|xz|zst)$/, "");
    const debug = join(root, "usr/lib/debug/lib/modules", kernelRelease, plain);
    places.push(debug, `${debug}.debug`, join(folder, path));
  }
  if (buildId.length > 2) {
    const file = `${buildId.slice(2)}.debug`;
    places.push(join(root, "usr/lib/debug/.build-id", buildId.slice(0, 2), file));
  }
  return places.find((place) => existsSync(place) && fits(place, buildId));
}

/** Path of a module below its kernel's folder, by the list that depmod keeps. Names there may have `-` for `_`. */
function moduleFile(folder: string, name: string): string | undefined {
  let list: string;
  try {
    list = readFileSync(join(folder, "modules.dep"), "utf8");
  } catch {
    return undefined;
  }
  return list.split("\n").map((line) => line.split(":")[0]).find((path) =>
    basename(path).replace(/\.ko(\.(gz|xz|zst))?$/, "").replaceAll("-", "_") === name
  );
}

/** A module that is stripped has points and symbols, but no lines: better than nothing. */
function fits(path: string, buildId: string): boolean {
  try {
    using image = new OpenImage(path);
    return buildId === "" || image.elf.buildId === buildId;
  } catch {
    return false;
  }
}
