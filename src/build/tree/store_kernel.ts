import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { KcovUnavailableError } from "../../errors.ts";
import { OpenImage } from "../../kernel/image/open_image.ts";
import { writeWhole } from "../../sys/written_files.ts";
import {
  type KernelFolder,
  kernelFolder,
  type KernelManifest,
  kernelsFolder,
} from "../kernel_folder.ts";

/** A kernel that was made in a mirror. */
export interface MadeKernel {
  readonly mirror: string;
  /** The text of patched files. */
  readonly added: string;
  readonly tree: string;
  readonly version: string;
  readonly log: string;
  /** The program that takes debug information out of what is started; `undefined` for none. */
  readonly strip: string | undefined;
}

/** Keeps a kernel that was made in a mirror, under its build id. */
export function storeKernel(
  { mirror, added, tree, version, log, strip }: MadeKernel,
  manifestOf: (buildId: string) => KernelManifest,
): { folder: KernelFolder; manifest: KernelManifest } {
  const made = join(mirror, "vmlinux");
  const buildId = buildIdOf(made);
  const manifest = manifestOf(buildId);
  const folder = kernelFolder(join(kernelsFolder(), `${version}-${buildId.slice(0, 12)}`));
  mkdirSync(folder.path, { recursive: true });
  copyFileSync(made, `${folder.vmlinux}.partial`, constants.COPYFILE_FICLONE);
  renameSync(`${folder.vmlinux}.partial`, folder.vmlinux);
  const partial = `${folder.linux}.partial`;
  if (strip === undefined) {
    rmSync(partial, { force: true });
    linkSync(folder.vmlinux, partial);
  } else stripTo(strip, made, partial, log);
  renameSync(partial, folder.linux);
  // Reports name the user's files; those that only the build has are in the mirror.
  link(tree, folder.source);
  link(mirror, join(folder.path, "made"));
  link(added, join(folder.path, "patched"));
  writeWhole(folder.manifest, [`${JSON.stringify(manifest, null, 2)}\n`]);
  return { folder, manifest };
}

function stripTo(program: string, from: string, to: string, log: string): void {
  const run = spawnSync(program, ["--strip-debug", "-o", to, from], { encoding: "utf8" });
  if (run.status === 0) return;
  appendFileSync(log, run.stderr ?? "");
  throw new KcovUnavailableError(
    "not-built-in",
    `${program} failed: ${(run.stderr ?? String(run.error)).trim()}: check the free space of ${
      dirname(to)
    }`,
  );
}

/** The build id of an image. */
export function buildIdOf(path: string): string {
  using image = new OpenImage(path);
  const { buildId } = image.elf;
  if (buildId !== "") return buildId;
  throw new KcovUnavailableError(
    "not-built-in",
    `${path} was linked without a build id: use a compiler that adds one, or a tree that kcov.patch fits`,
  );
}

/** Makes a symbolic link, in place of one that is there. */
export function link(to: string, path: string): void {
  rmSync(path, { force: true });
  symlinkSync(to, path);
}
