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
  readonly #others: readonly string[];

  /** @param others real paths of folders that have what is not below the root, such as files that the build made */
  constructor(root: string | undefined, others: readonly string[] = []) {
    this.root = root;
    this.#realRoot = root === undefined ? undefined : realpathSync(root);
    this.#others = others;
  }

  /** The absolute paths of those files of the image that do not lie below the root, but in another folder. */
  elsewhere(files: readonly string[]): Map<string, string> {
    const found = new Map<string, string>();
    if (this.root === undefined || this.#others.length === 0) return found;
    for (const file of files) {
      if (file.startsWith("/") || pathExists(join(this.root, file))) continue;
      const other = this.#others.find((folder) => pathExists(join(folder, file)));
      if (other !== undefined) found.set(file, join(other, file));
    }
    return found;
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

  /** Text of a file of the image that was not changed after `time`, when the image was built; `undefined` for all others. */
  readAsBuilt(file: string, time: number): string | undefined {
    const found = this.#find(file);
    if (found === undefined || found.stat.mtimeMs > time) return undefined;
    return orNothing(() => readFileSync(found.path, "utf8"));
  }

  #find(file: string): { readonly path: string; readonly stat: Stats } | undefined {
    const roots = this.#realRoot === undefined ? [] : [this.#realRoot, ...this.#others];
    return roots.map((root) => findBelow(root, file)).find((found) => found !== undefined);
  }
}

function findBelow(root: string, file: string): { path: string; stat: Stats } | undefined {
  return orNothing(() => {
    const path = realpathSync(resolve(root, file));
    if (!path.startsWith(join(root, "/"))) return undefined;
    const stat = statSync(path);
    return stat.isFile() ? { path, stat } : undefined;
  });
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
 * The kernel source that an image was built from, where it lies beside the image: the image's own folder for a kernel
 * built in its tree, its `source` folder or link for other builds, with what the build made in `made` and the text of
 * patched files in `patched`.
 */
export function sourcesOf(imagePath: string | undefined): KernelSources {
  if (imagePath === undefined) return new KernelSources(undefined);
  const folder = dirname(imagePath);
  const root = [folder, join(folder, "source")].find((root) =>
    pathExists(join(root, "Kconfig")) && pathExists(join(root, "fs"))
  );
  const others = ["made", "patched"].map((name) =>
    orNothing(() => realpathSync(join(folder, name)))
  );
  const real = root === folder || root === undefined ? root : realpathSync(root);
  return new KernelSources(real, others.filter((path) => path !== undefined));
}
