import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolderPath } from "../../sys/cache_folder.ts";
import type { VmArch } from "../vm/vm_arch.ts";

/** A folder with the programs of another architecture, which guests of that have in place of the host's. */
export interface ProgramRoot {
  readonly path: string;
  readonly arch: VmArch;
  /** Packages that were asked for besides {@linkcode ROOT_PACKAGES}. */
  readonly added: readonly string[];
  /** Versions of the runtimes. */
  readonly deno: string;
  readonly bun: string;
}

/** What a root is made of. */
export type RootRequest = Omit<ProgramRoot, "path">;

/** Debian's packages of every root, without those that they depend on. */
export const ROOT_PACKAGES: readonly string[] =
  ("base-files base-passwd bash dash coreutils grep sed findutils diffutils gzip tar mawk util-linux mount kmod " +
    "e2fsprogs procps iproute2 libstdc++6 ca-certificates usr-is-merged").split(" ");

/** Written last: the root is complete. */
export const ROOT_MANIFEST = "kernelcov-root.json";

/** Changes when roots are made in another way. */
const FORMAT = 1;

function rootsFolder(): string {
  return join(cacheFolderPath(), "roots");
}

/** The path of a root, whether it is there or not. */
export function rootPath(request: RootRequest): string {
  const { arch, added, deno, bun } = request;
  const hash = createHash("sha256")
    .update(JSON.stringify([FORMAT, arch, ROOT_PACKAGES, added, deno, bun]));
  return join(rootsFolder(), `${arch}-${hash.digest("hex").slice(0, 12)}`);
}

/** The root of an architecture that was made last; `undefined` where there is none. */
export function lastRoot(arch: VmArch): ProgramRoot | undefined {
  return allRoots().findLast((root) => root.arch === arch);
}

/** The roots that no guest uses any more: others of their architecture were made later. */
export function olderRoots(): ProgramRoot[] {
  return allRoots().filter((root) => root.path !== lastRoot(root.arch)?.path);
}

/** All complete roots, the newest last. */
function allRoots(): ProgramRoot[] {
  const parent = rootsFolder();
  if (!existsSync(parent)) return [];
  return readdirSync(parent).map((name) => readRoot(join(parent, name)))
    .filter((root) => root !== undefined).sort((a, b) => a.madeAt - b.madeAt);
}

/** The root in a folder; `undefined` where none is complete there. */
export function readRoot(path: string): (ProgramRoot & { readonly madeAt: number }) | undefined {
  try {
    return { ...JSON.parse(readFileSync(join(path, ROOT_MANIFEST), "utf8")), path };
  } catch {
    return undefined;
  }
}
