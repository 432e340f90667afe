import { existsSync, readdirSync } from "node:fs";
import { release } from "node:os";
import { basename, join, resolve } from "node:path";
import process from "node:process";
import { FormatError } from "../../errors.ts";
import { codeSections } from "../../elf/code_sections.ts";
import type { RunModule } from "../../record/test_record.ts";
import { readWholeFile } from "../../sys/open_file.ts";
import { OpenImage } from "./open_image.ts";
import { buildIdPlaces } from "./separate_debug.ts";

/** Where the files of modules may be. */
export interface ModuleImageQuery {
  /** `uname -r` of their kernel; by default the running kernel's. */
  readonly release?: string;
  /** Folders to look in first; by default those of `KERNELCOV_MODULES`, which `:` separates. */
  readonly folders?: readonly string[] | undefined;
  /** Folder of `lib` and `usr`. */
  readonly root?: string;
}

/** The file of a module, or why there is none. */
export type ModuleImage = { readonly path: string } | { readonly missing: string };

const MODULE_FILE = /\.ko(\.(gz|xz|zst))?$/;
/** Below this many folders no build has its modules. */
const DEEPEST = 12;

/** By folder: the modules in it, with their paths. Kept, as each module of a run is looked for. */
const listed = new Map<string, ReadonlyMap<string, readonly string[]>>();

/** The folders that `KERNELCOV_MODULES` names. */
export function moduleFolders(): string[] {
  return (process.env["KERNELCOV_MODULES"] ?? "").split(":").filter((folder) => folder !== "");
}

/**
 * Finds the file of a module, by its name and build id: in the folders that were named (that of a build, or any with
 * modules in it), then where the kernel's modules and their debug packages are. One with debug information, or known to
 * have a separate file with it, is preferred to one without.
 */
export function findModuleImage(
  { name, buildId }: Pick<RunModule, "name" | "buildId">,
  query: ModuleImageQuery = {},
): ModuleImage {
  const { root = "/", folders = moduleFolders() } = query;
  const kernelRelease = query.release ?? release();
  const installed = join(root, "lib/modules", kernelRelease);
  const debug = join(root, "usr/lib/debug/lib/modules", kernelRelease);
  const searched = [...folders.map((folder) => resolve(folder)), installed, debug];
  const paths = [
    ...searched.flatMap((folder) => modulesIn(folder).get(name) ?? []),
    ...buildIdPlaces(buildId, root),
  ];
  const refused: string[] = [];
  let plain: string | undefined;
  for (const path of paths) {
    if (!existsSync(path)) continue;
    const found = describe(path, buildId);
    if (typeof found === "string") refused.push(found);
    else if (found.hasLines) return { path };
    else plain ??= path;
  }
  if (plain !== undefined) return { path: plain };
  if (refused.length > 0) return { missing: refused.join("; ") };
  return {
    missing: `there is no ${name}.ko in ${[...folders, installed].join(" or ")}: ` +
      "name its folder with --modules or KERNELCOV_MODULES",
  };
}

/** Whether a file is the module with its code; else why not. */
function describe(path: string, buildId: string): { hasLines: boolean } | string {
  try {
    using image = new OpenImage(path);
    if (buildId !== "" && image.elf.buildId !== buildId) {
      return `${path} has build id ${
        image.elf.buildId || "none"
      }, the module that was loaded ${buildId}`;
    }
    if (codeSections(image.elf).length === 0) return `${path} has debug information, but no code`;
    return { hasLines: image.lack === undefined };
  } catch (error) {
    // Damaged, or no regular file.
    if (error instanceof FormatError || error instanceof TypeError) return error.message;
    throw error;
  }
}

/** The modules in a folder by name, in which `-` of file names is `_`: from the lists of a build or of depmod, else of all files. */
export function modulesIn(folder: string): ReadonlyMap<string, readonly string[]> {
  const known = listed.get(folder);
  if (known !== undefined) return known;
  const modules = new Map<string, string[]>();
  for (const path of filesOf(folder)) {
    const name = basename(path).replace(MODULE_FILE, "").replaceAll("-", "_");
    const file = resolve(folder, path);
    if (modules.get(name)?.push(file) === undefined) modules.set(name, [file]);
  }
  listed.set(folder, modules);
  return modules;
}

function filesOf(folder: string): string[] {
  // A build lists objects, or their modules before Linux 6.2.
  const built = readText(join(folder, "modules.order"));
  const installed = readText(join(folder, "modules.dep"));
  const files = [
    ...(built?.split("\n").map((line) => line.replace(/\.o$/, ".ko")) ?? []),
    ...(installed?.split("\n").map((line) => line.split(":")[0]) ?? []),
  ].filter((path) => MODULE_FILE.test(path));
  return files.length > 0 ? files : moduleFiles(folder, "", DEEPEST);
}

function moduleFiles(folder: string, path: string, depth: number): string[] {
  let entries;
  try {
    entries = readdirSync(join(folder, path), { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) return depth > 0 ? moduleFiles(folder, inner, depth - 1) : [];
    return MODULE_FILE.test(entry.name) ? [inner] : [];
  });
}

function readText(path: string): string | undefined {
  try {
    return new TextDecoder().decode(readWholeFile(path));
  } catch {
    return undefined;
  }
}
