import { existsSync } from "node:fs";
import { release } from "node:os";
import process from "node:process";
import { KcovUnavailableError } from "../../errors.ts";
import { runningBuildId } from "./notes_file.ts";
import { OpenImage } from "./open_image.ts";
import { buildIdPlaces } from "./separate_debug.ts";

/** What is wanted of {@linkcode findKernelImage}. */
export interface KernelImageQuery {
  /** Use this file and no other. */
  readonly path?: string;
  /** Build id of the kernel that the PCs are of; by default the running kernel's. Empty: not known, any image will do. */
  readonly buildId?: string;
  /** `uname -r` of that kernel; by default the running kernel's. */
  readonly release?: string;
}

/** The image of a kernel. */
export interface KernelImage {
  readonly path: string;
  /** Build id of the file; empty where it has none. */
  readonly buildId: string;
}

/** Files that may be the image, the likeliest first. */
function kernelImagePlaces(buildId: string, kernelRelease: string): string[] {
  return [
    ...buildIdPlaces(buildId),
    `/usr/lib/debug/boot/vmlinux-${kernelRelease}`,
    `/boot/vmlinux-${kernelRelease}`,
    `/lib/modules/${kernelRelease}/build/vmlinux`,
    `/lib/modules/${kernelRelease}/vmlinux`,
    `/usr/lib/debug/lib/modules/${kernelRelease}/vmlinux`,
    `/usr/lib/debug/vmlinux-${kernelRelease}`,
  ];
}

/**
 * Finds the kernel's `vmlinux`: the file named in the query, else `KERNELCOV_VMLINUX`, else the usual places.
 *
 * @throws {KcovUnavailableError} with reason `no-image` where there is none with debug information and of the right build
 * @throws {FormatError} where the named file is not an ELF image
 */
export function findKernelImage(query: KernelImageQuery = {}): KernelImage {
  const buildId = query.buildId ?? runningBuildId();
  const named = query.path ?? process.env["KERNELCOV_VMLINUX"];
  if (named !== undefined && named !== "") {
    const origin = query.path === undefined ? "KERNELCOV_VMLINUX" : "the image";
    if (!existsSync(named)) {
      throw noImage(
        `Cannot open ${named}: there is no such file: name a vmlinux with debug information`,
      );
    }
    const image = describe(named);
    if (image.lack !== undefined) {
      throw noImage(
        `Cannot use ${named}: ${image.lack}: name a vmlinux of a kernel with CONFIG_DEBUG_INFO`,
      );
    }
    if (buildId !== "" && image.buildId !== "" && image.buildId !== buildId) {
      throw noImage(
        `Cannot use ${named}: its build id is ${image.buildId} but the kernel's is ${buildId}: ` +
          `point ${origin} to the vmlinux of that kernel`,
      );
    }
    return { path: image.path, buildId: image.buildId };
  }
  const places = kernelImagePlaces(buildId, query.release ?? release());
  const refused: string[] = [];
  for (const place of places) {
    if (!existsSync(place)) continue;
    const image = describe(place);
    if (image.lack === undefined && (buildId === "" || image.buildId === buildId)) {
      return { path: image.path, buildId: image.buildId };
    }
    refused.push(
      image.lack === undefined
        ? `${place} has build id ${image.buildId || "none"}, the kernel ${buildId}`
        : `${place}: ${image.lack}`,
    );
  }
  const looked = refused.length > 0 ? refused.join("; ") : `none of ${places.join(", ")} exists`;
  throw noImage(
    `Cannot find the kernel's vmlinux with debug information (${looked}): install the kernel's debug package or set KERNELCOV_VMLINUX`,
  );
}

function describe(path: string): KernelImage & { readonly lack: string | undefined } {
  using image = new OpenImage(path);
  return { path, buildId: image.elf.buildId, lack: image.lack };
}

function noImage(message: string): KcovUnavailableError {
  return new KcovUnavailableError("no-image", message);
}
