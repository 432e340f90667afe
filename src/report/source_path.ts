/** How a report writes source paths, which an image holds relative to the kernel's root. */
export type PathMode = "relative" | { readonly prefix: string };

/** The path that a report shows for `file` of an image. */
export function sourcePath(file: string, mode: PathMode): string {
  if (mode === "relative" || file.startsWith("/")) return file;
  return mode.prefix + file;
}

/** The mode that puts files below the folder `root`, as an absolute path. */
export function absolutePaths(root: string): PathMode {
  if (!root.startsWith("/")) {
    throw new TypeError(
      `Cannot write absolute paths: "${root}" is relative: give the kernel tree's absolute path`,
    );
  }
  return { prefix: root.endsWith("/") ? root : `${root}/` };
}
