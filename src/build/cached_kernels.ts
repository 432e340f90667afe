import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lockHolder } from "./build_lock.ts";
import {
  type KernelFolder,
  kernelFolder,
  type KernelManifest,
  kernelsFolder,
  readManifest,
} from "./kernel_folder.ts";

/** An embedded kernel in the cache. */
export interface CachedKernel {
  readonly name: string;
  readonly folder: KernelFolder;
  /** What was built; `undefined` where the build has not ended. */
  readonly manifest: KernelManifest | undefined;
}

/** The kernels in the cache, of all sources, configurations and compilers, by name. */
export function cachedKernels(): CachedKernel[] {
  const parent = kernelsFolder();
  if (!existsSync(parent)) return [];
  return readdirSync(parent).sort().map((name) => {
    const folder = kernelFolder(join(parent, name));
    return { name, folder, manifest: readManifest(folder) };
  });
}

/** The process that builds a kernel now; `undefined` where none does. */
export function kernelBuilder({ path }: KernelFolder): number | undefined {
  return lockHolder(buildLock(path));
}

/** The lock file of a kernel's build. */
export function buildLock(path: string): string {
  return join(path, "lock");
}

/** Removes a kernel. Its manifest goes first: what is left is not taken for a kernel. */
export function removeKernel({ folder }: CachedKernel): void {
  rmSync(folder.manifest, { force: true });
  rmSync(folder.path, { recursive: true, force: true });
}
