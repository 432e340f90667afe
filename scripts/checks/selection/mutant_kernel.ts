import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WatchedKernel } from "../../../src/cli/watch/watched_kernel.ts";
import { textPatch } from "../../../src/coverage/patch/text_patch.ts";
import type { FilePatch } from "../../../src/coverage/patch/patch.ts";

/** A kernel whose source is changed and built anew, one file at a time. */
export interface MutantKernel {
  /** The folder of its sources. */
  readonly tree: string;
  /** What is booted. */
  readonly linux: string;
  /** Of the kernel without a change, with debug information. */
  readonly vmlinux: string;
  /** Builds it with a changed file; false where that does not compile. */
  rebuild(path: string): Promise<boolean>;
}

/** Runs `body` on the kernel with a line of a file changed, and puts the file back; `undefined` where it does not compile. */
export async function withLine<T>(
  kernel: MutantKernel,
  file: string,
  line: number,
  after: string,
  body: (patch: FilePatch, before: readonly string[]) => T,
): Promise<T | undefined> {
  const path = join(kernel.tree, file);
  const text = readFileSync(path, "utf8");
  const before = text.split("\n");
  const changed = before.with(line - 1, after).join("\n");
  try {
    writeFileSync(path, changed);
    if (!await kernel.rebuild(path)) return undefined;
    return body(textPatch(file, text, changed), before);
  } finally {
    // The next change builds this file too.
    writeFileSync(path, text);
    await kernel.rebuild(path);
  }
}

/** The kernel of a tree that kernelcov builds, as `kernelcov watch` does. */
export async function treeMutants(tree: string): Promise<MutantKernel> {
  const kernel = await WatchedKernel.build({ source: tree });
  const { vmlinux } = kernel.kernel.folder;
  return {
    tree,
    vmlinux,
    get linux() {
      return kernel.kernel.folder.linux;
    },
    async rebuild(path) {
      const rebuilt = await kernel.rebuild([path]);
      if (rebuilt.kind === "failed") return false;
      kernel.adopt(rebuilt.kernel);
      return true;
    },
  };
}

/**
 * A user-mode Linux kernel that was built in its tree.
 *
 * @param make builds it anew in that folder, with the options that it was built with
 * @param folder for copies
 */
export function builtMutants(tree: string, make: string, folder: string): MutantKernel {
  const built = join(tree, "vmlinux"), vmlinux = join(folder, "vmlinux");
  const linux = join(folder, "linux");
  if (!existsSync(built)) {
    throw new TypeError(`${built} is missing: name a tree that was built, with its objects`);
  }
  copyFileSync(built, vmlinux);
  spawnSync("strip", ["--strip-debug", "-o", linux, built]);
  return {
    tree,
    linux,
    vmlinux,
    rebuild() {
      const { status } = spawnSync("sh", ["-c", make], { cwd: tree, stdio: "ignore" });
      if (status === 0) spawnSync("strip", ["--strip-debug", "-o", linux, built]);
      return Promise.resolve(status === 0);
    },
  };
}
