import { resolve } from "node:path";
import { KcovUnavailableError } from "../errors.ts";
import type { RunKernel } from "../record/test_record.ts";
import { rememberedIndex } from "../symbolize/index/cached_index.ts";
import { findKernelImage } from "../kernel/image/find_kernel_image.ts";
import type { ImageIndex } from "../symbolize/index/image_index.ts";
import { loadImageIndexSync } from "../symbolize/index/load_index.ts";
import { type ImageSections, imageSections } from "../kernel/module_images.ts";
import { OpenImage } from "../kernel/image/open_image.ts";
import { environmentVariable } from "../sys/runtime.ts";
import { cachedKernels } from "../build/cached_kernels.ts";

/** The index of a kernel's image, and where the image is. */
export interface KernelIndex {
  readonly index: ImageIndex;
  /** Absolute; `undefined` where only the index is left of it. */
  readonly path: string | undefined;
}

/** The index of a module's image, and where the image's sections lie. */
export interface ModuleIndex {
  readonly index: ImageIndex;
  readonly sections: ImageSections;
}

/** What is known of where a kernel's image is. */
export interface KernelImageHints {
  /** The image: this file and no other. */
  readonly vmlinux?: string | undefined;
  /** Where a run had it, which may be another one's by now. */
  readonly image?: string | undefined;
}

/** Kept: bun reports at the end of every test file of one process, and assertions ask in between. */
const loaded = new Map<string, KernelIndex>();
/** Indexes are large, and a command needs two at most. */
const KEPT = 2;

/**
 * The index of the image of the kernel that PCs were recorded on: of the file `vmlinux`, else of `KERNELCOV_VMLINUX`,
 * of where the run had it, or of an embedded kernel where it is that one's, else of the file in the usual places, else
 * what the cache remembers of it.
 *
 * @throws {KcovUnavailableError} With reason `no-image` where there is none of that kernel's build id.
 * @throws {FormatError} Where the image is damaged.
 */
export function loadKernelIndex(kernel: RunKernel, hints: KernelImageHints = {}): KernelIndex {
  const path = hints.vmlinux === undefined ? knownImage(kernel.buildId, hints.image) : undefined;
  if (path !== undefined) return load(path);
  try {
    return load(findKernelImage({ path: hints.vmlinux, ...kernel }).path);
  } catch (error) {
    if (hints.vmlinux !== undefined || !(error instanceof KcovUnavailableError)) throw error;
    const index = rememberedIndex(kernel.buildId);
    if (index === undefined) throw error;
    return { index, path: undefined };
  }
}

function load(path: string): KernelIndex {
  const absolute = resolve(path);
  let index = loaded.get(absolute);
  if (index === undefined) {
    index = { index: loadImageIndexSync(absolute), path: absolute };
    if (loaded.size === KEPT) loaded.delete(loaded.keys().next().value!);
    loaded.set(absolute, index);
  }
  return index;
}

/**
 * The index of the image of a module.
 *
 * @throws {FormatError} Where the image is damaged.
 */
export function loadModuleIndex(path: string): ModuleIndex {
  using opened = new OpenImage(path);
  return { index: loadImageIndexSync(path), sections: imageSections(opened.elf.sections) };
}

function knownImage(buildId: string, image: string | undefined): string | undefined {
  if (buildId === "") return undefined;
  // The environment first: it costs nothing, and a guest kernel has it set.
  const named = environmentVariable("KERNELCOV_VMLINUX");
  for (const path of [named, image]) {
    if (path !== undefined && path !== "" && isImageOf(path, buildId)) return path;
  }
  // Older kernels too: a run outlives the installed source, compiler and configuration.
  return cachedKernels().filter(({ manifest }) => manifest !== undefined)
    .map(({ folder }) => folder.vmlinux).find((path) => isImageOf(path, buildId));
}

/** Whether a file is the image of a build, with debug information; false too where there is no such file, or no image. */
export function isImageOf(path: string, buildId: string): boolean {
  try {
    using image = new OpenImage(path);
    return image.elf.buildId === buildId && image.lack === undefined;
  } catch {
    return false;
  }
}
