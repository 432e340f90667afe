import { findFiles, hasLines } from "../questions/find_source.ts";
import type { FilePatch } from "./patch.ts";
import type { Universe } from "../universe.ts";

/** What a changed file can mean for tests. */
export type FileJudgement =
  /** Its lines can be looked up. */
  | { readonly kind: "source"; readonly file: number; readonly header: boolean }
  /** It is not part of the kernel image, or not of this one: no test is needed. */
  | { readonly kind: "no-effect"; readonly reason: string }
  | { readonly kind: "not-built"; readonly reason: string }
  /** It can change anything: every test is needed. */
  | { readonly kind: "run-all"; readonly reason: string };

const OUTSIDE = /^(?:Documentation|LICENSES|samples|tools|usr\/include)\//;
const TEXT =
  /(?:^|\/)(?:MAINTAINERS|CREDITS|COPYING|README[^/]*|\.mailmap|\.gitignore|\.gitattributes|\.clang-format|\.editorconfig|\.rustfmt\.toml|[^/]+\.(?:rst|txt|md))$/;
const CONFIGURATION = /(?:^|\/)(?:Kconfig[^/]*|[^/]+\.config|[^/]*defconfig)$/;
const BUILD = /(?:^|\/)(?:Makefile[^/]*|Kbuild[^/]*|[^/]+\.mk)$|^scripts\//;
const ASSEMBLY = /\.[sS]$/;
const LINKER = /\.lds(?:\.[hS])?$/;

/** What can be said of a changed file before its hunks are looked at. */
export function judgeFile(universe: Universe, patch: FilePatch): FileJudgement {
  const path = patch.oldPath || patch.newPath;
  if (CONFIGURATION.test(path)) {
    return { kind: "run-all", reason: "Kconfig decides what is built" };
  }
  if (LINKER.test(path)) return { kind: "run-all", reason: "a linker script lays out the image" };
  if (TEXT.test(path)) return { kind: "no-effect", reason: "documentation" };
  if (OUTSIDE.test(path)) return { kind: "no-effect", reason: "not part of the kernel image" };
  if (BUILD.test(path)) return { kind: "run-all", reason: "build files decide how code is built" };
  const arch = /^arch\/([^/]+)\//.exec(path)?.[1];
  if (
    arch !== undefined && !universe.image.files.some((file) => file.startsWith(`arch/${arch}/`))
  ) {
    return { kind: "not-built", reason: `the image has no code of arch/${arch}` };
  }
  if (ASSEMBLY.test(path)) return { kind: "run-all", reason: "assembly has no coverage points" };
  if (patch.binary) return { kind: "run-all", reason: "a binary file cannot be judged" };
  const found = matchPath(universe, patch);
  const header = path.endsWith(".h");
  if (found >= 0 && hasLines(universe, found)) return { kind: "source", file: found, header };
  if (header) {
    return {
      kind: "run-all",
      reason: "a header's macros and types reach every file that includes it",
    };
  }
  if (!/\.(?:c|rs)$/.test(path)) {
    return { kind: "run-all", reason: "this kind of file is not known" };
  }
  if (found >= 0) {
    return { kind: "run-all", reason: "the file is built without coverage points" };
  }
  return { kind: "not-built", reason: "the image has no code of this file" };
}

/** The image's file that a patch changes: its old or new path, also below further leading folders. */
function matchPath(universe: Universe, patch: FilePatch): number {
  for (const path of [patch.oldPath, patch.newPath]) {
    if (path === "") continue;
    // `diff -ru linux-6.12 linux-new` puts one folder in front.
    const short = path.replace(/^[^/]+\//, "");
    for (const candidate of [path, short]) {
      const exact = universe.image.files.indexOf(candidate);
      if (exact >= 0) return exact;
    }
    // Patches made within a subfolder name the end of the path; only an unambiguous one counts.
    const found = findFiles(universe, path);
    if (found.length === 1) return found[0];
  }
  return -1;
}
