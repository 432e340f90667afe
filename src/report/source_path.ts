/** How a report writes source paths, which an image holds relative to the kernel's root. */
export type PathMode = "relative" | {
  readonly prefix: string;
  /** Paths of the files that do not lie there. */
  readonly elsewhere?: ReadonlyMap<string, string>;
};

/** The path that a report shows for `file` of an image. */
export function sourcePath(file: string, mode: PathMode): string {
  if (mode === "relative" || file.startsWith("/")) return file;
  return mode.elsewhere?.get(file) ?? mode.prefix + file;
}

/**
 * The mode that puts files below the folder `root`, as an absolute path.
 *
 * @param elsewhere paths of the files that do not lie there
 */
export function absolutePaths(root: string, elsewhere?: ReadonlyMap<string, string>): PathMode {
  if (!root.startsWith("/")) {
    throw new TypeError(
      `Cannot write absolute paths: "${root}" is relative: give the kernel tree's absolute path`,
    );
  }
  return {
    prefix: root.endsWith("/") ? root : `${root}/`,
    ...elsewhere === undefined || elsewhere.size === 0 ? {} : { elsewhere },
  };
}
