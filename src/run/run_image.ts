import { dirname, join } from "node:path";
import type { CoverageImage } from "../coverage/coverage_image.ts";
import { joinImages } from "../coverage/join_images.ts";
import type { CoveredModule } from "../coverage/module_coverage.ts";
import { FormatError } from "../errors.ts";
import { type MovedSection, SECTION_SPACE } from "../record/run_modules.ts";
import type { RunKernel, RunModule } from "../record/test_record.ts";
import { rememberedIndex } from "../symbolize/index/cached_index.ts";
import { findModuleImage, moduleFolders } from "../kernel/image/find_module_image.ts";
import { imageSections } from "../kernel/module_images.ts";
import { pathExists } from "../sys/files.ts";
import {
  type KernelImageHints,
  loadKernelIndex,
  loadModuleIndex,
  type ModuleIndex,
} from "./kernel_index.ts";

/** Where the images of a run are. */
export interface RunImageOptions extends KernelImageHints {
  /** Folders with modules, before those of `KERNELCOV_MODULES` and the usual places. */
  readonly modules?: readonly string[] | undefined;
}

/** The kernel of a run and the modules that were loaded, as one image. */
export interface RunImage {
  readonly image: CoverageImage;
  /** Where the kernel's image is; `undefined` where only its index is left. */
  readonly path: string | undefined;
  readonly modules: readonly CoveredModule[];
  /** Where the image has the addresses that the run's records have for modules. */
  readonly moved: readonly MovedSection[];
}

/**
 * Loads the images of a run: of its kernel, and of all modules that were loaded.
 *
 * @throws {KcovUnavailableError} With reason `no-image` where the kernel's is not found.
 * @throws {FormatError} Where it is damaged. A module that is damaged or not found costs its own points, with the reason.
 */
export function loadRunImage(
  kernel: RunKernel,
  modules: readonly RunModule[],
  options: RunImageOptions = {},
): RunImage {
  const { index, path } = loadKernelIndex(kernel, options);
  if (modules.length === 0) return { image: index, path, modules: [], moved: [] };
  const folders = [
    ...options.modules ?? [],
    ...moduleFolders(),
    ...besideImage(path, kernel.release),
  ];
  const found = modules.map((module) => loadModule(module, kernel.release, folders));
  const loaded = found.filter((module) => "index" in module);
  const joined = joinImages(
    index,
    loaded.map((module) => ({ ...module.index, name: module.run.name })),
  );
  const covered: CoveredModule[] = [];
  const moved: MovedSection[] = [];
  for (const module of found) {
    const { name, buildId, sections } = module.run;
    if ("missing" in module) {
      const { missing } = module, size = SECTION_SPACE;
      const addresses = sections.map(({ address }) => ({ start: address, end: address + size }));
      for (const { address } of sections) moved.push({ address, to: address, size });
      covered.push({ name, buildId, firstPoint: 0, points: 0, missing, addresses });
      continue;
    }
    const at = loaded.indexOf(module);
    const base = index.base + joined.start[at] - module.index.base;
    for (const { name: section, address } of sections) {
      const linked = module.sections.get(section);
      if (linked !== undefined) {
        moved.push({ address, to: base + linked.address, size: linked.size });
      }
    }
    const points = module.index.pointOffset.length;
    covered.push({ name, buildId, firstPoint: joined.firstPoint[at], points, addresses: [] });
  }
  return { image: joined.image, path, modules: covered, moved };
}

interface LoadedModuleImage extends ModuleIndex {
  readonly run: RunModule;
}

function loadModule(
  run: RunModule,
  release: string,
  folders: readonly string[],
): LoadedModuleImage | { readonly run: RunModule; readonly missing: string } {
  if (run.hidden !== undefined) return { run, missing: run.hidden };
  const found = findModuleImage(run, { release, folders });
  if ("missing" in found) {
    const index = rememberedIndex(run.buildId);
    return index === undefined || index.sections.length === 0
      ? { run, missing: found.missing }
      : { run, index, sections: imageSections(index.sections) };
  }
  try {
    return { run, ...loadModuleIndex(found.path) };
  } catch (error) {
    if (error instanceof FormatError) return { run, missing: error.message };
    throw error;
  }
}

/**
 * Folders with the kernel's modules near its image: that of its build, where the image still lies there, and what
 * `make modules_install INSTALL_MOD_PATH=.` made in it.
 */
function besideImage(vmlinux: string | undefined, release: string): string[] {
  if (vmlinux === undefined) return [];
  const folder = dirname(vmlinux);
  return [
    ...pathExists(join(folder, "modules.order")) ? [folder] : [],
    ...[join(folder, "lib/modules", release)].filter(pathExists),
  ];
}
