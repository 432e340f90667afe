import { crc32 } from "../../base/crc32.ts";
import type { ElfFile } from "../../elf/elf_file.ts";
import { SHT_NOBITS } from "../../elf/constants.ts";
import { nodeBuiltin } from "../../sys/node_builtins.ts";
import { readWholeFile } from "../../sys/open_file.ts";

/** Where separate debug files are kept. */
const DEBUG_FOLDER = "/usr/lib/debug";
/** Of a folder with more files, not all are looked at. */
const MOST_FILES = 1000;

/** Whether an image has debug information of its own. */
export function hasDebugInformation(elf: ElfFile): boolean {
  return elf.section(".debug_info") !== undefined;
}

/** Whether an image has its code, and not only where that would be (`objcopy --only-keep-debug`). */
export function hasCode(elf: ElfFile): boolean {
  const text = elf.sections.find((section) => section.name === ".text");
  return text === undefined || text.type !== SHT_NOBITS;
}

/**
 * Where debug packages have the file of a build id; nowhere where that is not known.
 *
 * @param root folder of `usr`
 */
export function buildIdPlaces(buildId: string, root = "/"): string[] {
  if (buildId.length <= 2) return [];
  const file = `${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`;
  return [nodeBuiltin("node:path").join(root, DEBUG_FOLDER, ".build-id", file)];
}

/** Places of an image's debug file, as gdb looks for it ("Debugging Information in Separate Files"). */
export function debugFilePlaces(path: string, elf: ElfFile): string[] {
  const { basename, dirname, join } = nodeBuiltin("node:path");
  const { buildId, debugLink } = elf;
  const places = buildIdPlaces(buildId);
  if (debugLink !== undefined && debugLink.file === basename(debugLink.file)) {
    const folder = dirname(path);
    places.push(
      join(folder, debugLink.file),
      join(folder, ".debug", debugLink.file),
      join(DEBUG_FOLDER, folder, debugLink.file),
    );
  }
  return places;
}

/** Whether `debug`, at `path`, is the debug file of `elf`: by the build id, or by the link's checksum where there is none. */
export function isDebugFileOf(elf: ElfFile, path: string, debug: ElfFile): boolean {
  if (!hasDebugInformation(debug) || debug.buildId !== elf.buildId) return false;
  if (elf.buildId !== "") return true;
  return elf.debugLink !== undefined && crc32(readWholeFile(path)) === elf.debugLink.crc;
}

/** Places of the image that a debug file was split from: the likeliest first, then all files beside it. */
export function codeFilePlaces(debugPath: string): string[] {
  const { basename, dirname, join, resolve } = nodeBuiltin("node:path");
  const path = resolve(debugPath);
  const name = basename(path).replace(/\.(debug|dbg)$/, "");
  const folder = dirname(path);
  const outer = basename(folder) === ".debug" ? [dirname(folder)] : [];
  const installed = folder.startsWith(`${DEBUG_FOLDER}/`)
    ? [folder.slice(DEBUG_FOLDER.length)]
    : [];
  const places = [folder, ...outer, ...installed].map((place) => join(place, name));
  const beside = [folder, ...outer].flatMap((place) =>
    nodeBuiltin("node:fs").readdirSync(place).slice(0, MOST_FILES).map((file) => join(place, file))
  );
  return [...new Set([...places, ...beside])].filter((place) => place !== path);
}

/** What an image lacks for its lines to be known; `undefined` where nothing. */
export function lackOf(elf: ElfFile, debug: ElfFile): string | undefined {
  if (!hasCode(elf)) {
    return "it has debug information but no code (objcopy --only-keep-debug): put the image that it was split from beside it";
  }
  if (!hasDebugInformation(debug)) {
    const link = elf.debugLink?.file;
    return link === undefined
      ? "it has no debug information"
      : `it has no debug information: that is in ${link}, which was not found beside it, in .debug or in ${DEBUG_FOLDER}`;
  }
  if (debug.section(".gnu_debugaltlink") !== undefined) {
    return "a part of its debug information is in another file, where dwz put it: use the image from before dwz";
  }
  return undefined;
}
