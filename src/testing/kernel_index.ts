import type { RunKernel } from "../record/test_record.ts";
import { findKernelImage } from "../symbolize/find_kernel_image.ts";
import type { ImageIndex } from "../symbolize/image_index.ts";
import { loadImageIndexSync } from "../symbolize/load_index.ts";
import { OpenImage } from "../symbolize/open_image.ts";
import { pathExists } from "../sys/files.ts";
import { environmentVariable } from "../sys/runtime.ts";
import { cachedKernels } from "../uml/cached_kernels.ts";

/** The index of a kernel's image, and where the image is. */
export interface KernelIndex {
  readonly index: ImageIndex;
  readonly path: string;
}

/** Kept: bun reports at the end of every test file of one process, and assertions ask in between. */
let loaded: KernelIndex | undefined;

/**
 * The index of the image of the kernel that PCs were recorded on: of the file `vmlinux`, else of `KERNELCOV_VMLINUX` or an
 * embedded kernel where it was that one, else of the file in the usual places.
 *
 * @throws {KcovUnavailableError} With reason `no-image` where there is none of that kernel's build id.
 * @throws {FormatError} Where the image is damaged.
 */
export function loadKernelIndex(kernel: RunKernel, vmlinux?: string): KernelIndex {
  const path = (vmlinux === undefined ? knownImage(kernel.buildId) : undefined) ??
    findKernelImage({ path: vmlinux, ...kernel }).path;
  if (loaded?.path !== path) loaded = { index: loadImageIndexSync(path), path };
  return loaded;
}

function knownImage(buildId: string): string | undefined {
  if (buildId === "") return undefined;
  // The environment first: it costs nothing, and a guest kernel has it set.
  const named = environmentVariable("KERNELCOV_VMLINUX");
  if (named !== undefined && isImageOf(named, buildId)) return named;
  // Older kernels too: a run outlives the installed source, compiler and configuration.
  return cachedKernels().filter(({ manifest }) => manifest !== undefined)
    .map(({ folder }) => folder.vmlinux).find((path) => isImageOf(path, buildId));
}

function isImageOf(path: string, buildId: string): boolean {
  if (!pathExists(path)) return false;
  using image = new OpenImage(path);
  return image.elf.buildId === buildId;
}
