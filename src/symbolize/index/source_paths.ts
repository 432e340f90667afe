/**
 * Files that every kernel has at the same place: a path that ends with one of them names the folder that holds the
 * kernel's sources, whatever the tree is called and wherever it was built.
 */
const LANDMARKS = [
  "/include/linux/compiler_types.h",
  "/include/linux/kernel.h",
  "/include/linux/types.h",
  "/include/uapi/linux/types.h",
  "/init/main.c",
  "/kernel/fork.c",
  "/fs/open.c",
];

/** Folds `./`, `x/../` and doubled slashes. */
export function foldPath(path: string): string {
  if (!/(^|\/)\.\.?(\/|$)|\/\//.test(path)) return path;
  const absolute = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts[parts.length - 1] !== "..") parts.pop();
    else if (part !== ".." || !absolute) parts.push(part);
  }
  return (absolute ? "/" : "") + parts.join("/");
}

/**
 * Folders to take off the front of source paths: those that hold kernel sources, by landmark files, and the folders in
 * which the compiler ran (a build folder apart from the sources holds generated files). Longest first.
 *
 * @param paths As the debug information gives them.
 * @param buildFolders `DW_AT_comp_dir` of the units.
 */
export function sourceRoots(
  paths: Iterable<string>,
  buildFolders: Iterable<string> = [],
): string[] {
  const roots = new Set<string>();
  for (const path of paths) {
    if (!path.startsWith("/")) continue;
    for (const landmark of LANDMARKS) {
      if (path.endsWith(landmark)) {
        const folded = foldPath(path);
        roots.add(folded.slice(0, folded.length - landmark.length));
      }
    }
  }
  for (const folder of buildFolders) {
    if (folder.startsWith("/")) roots.add(foldPath(folder));
  }
  roots.delete("");
  return [...roots].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
}

/** `path` folded, and relative to the first of `roots` that holds it; absolute where none does. */
export function kernelPath(path: string, roots: readonly string[]): string {
  const folded = foldPath(path);
  for (const root of roots) {
    if (folded.startsWith(root) && folded[root.length] === "/") {
      return folded.slice(root.length + 1);
    }
  }
  return folded;
}

/**
 * The kernel-relative files that paths lead to, in alphabetical order, and the file of each path.
 *
 * @param buildFolders As for {@linkcode sourceRoots}.
 */
export function filesOf(
  paths: readonly string[],
  buildFolders: readonly string[],
): { files: string[]; pathFile: Uint32Array } {
  const roots = sourceRoots(paths, new Set(buildFolders));
  const relative = paths.map((path) => kernelPath(path, roots));
  const files = [...new Set(relative)].sort();
  const numbers = new Map(files.map((file, index) => [file, index]));
  return { files, pathFile: Uint32Array.from(relative, (file) => numbers.get(file) as number) };
}
