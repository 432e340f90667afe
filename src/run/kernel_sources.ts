import { readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathExists } from "../sys/files.ts";

/**
 * The source files of a kernel. Their names come from debug information, which can name any file of the machine: only
 * those below the root are read, also through links.
 */
export class KernelSources {
  /** The folder that the kernel was built from; `undefined` where it is not available. */
  readonly root: string | undefined;
  readonly #realRoot: string | undefined;

  constructor(root: string | undefined) {
    this.root = root;
    this.#realRoot = root === undefined ? undefined : realpathSync(root);
  }

  /** A path on this machine as the image names it; `undefined` where it does not lie below the root. */
  relative(path: string): string | undefined {
    const root = this.#realRoot;
    if (root === undefined) return undefined;
    const real = orNothing(() => realpathSync(path));
    if (real === root) return ".";
    return real?.startsWith(join(root, "/")) ? real.slice(root.length + 1) : undefined;
  }

  /** Text of a file of the image; `undefined` where there is no such file below the root. */
  read(file: string): string | undefined {
    const path = this.#find(file)?.path;
    return path === undefined ? undefined : orNothing(() => readFileSync(path, "utf8"));
  }

  /** Bytes of a file of the image that was changed after `time`, in milliseconds; `undefined` for all others. */
  readIfNewer(file: string, time: number): Uint8Array | undefined {
    const found = this.#find(file);
    if (found === undefined || found.stat.mtimeMs <= time) return undefined;
    return orNothing(() => readFileSync(found.path));
  }

  #find(file: string): { readonly path: string; readonly stat: Stats } | undefined {
    const root = this.#realRoot;
    if (root === undefined) return undefined;
    return orNothing(() => {
      const path = realpathSync(resolve(root, file));
      if (!path.startsWith(join(root, "/"))) return undefined;
      const stat = statSync(path);
      return stat.isFile() ? { path, stat } : undefined;
    });
  }
}

/** What cannot be read counts as not there; the reports say how many files that is. */
function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as { code?: unknown }).code === undefined) throw error;
    return undefined;
  }
}

/**
 * The root of the kernel source that an image was built from, where it lies beside the image: the image's own folder
 * for a kernel built in its tree, its `source` folder or link for other builds. `undefined` where it is not there.
 */
export function sourceRootOf(imagePath: string | undefined): string | undefined {
  if (imagePath === undefined) return undefined;
  const folder = dirname(imagePath);
  return [folder, join(folder, "source")].find((root) =>
    pathExists(join(root, "Kconfig")) && pathExists(join(root, "fs"))
  );
}
