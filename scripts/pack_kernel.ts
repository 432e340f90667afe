/**
 * Makes an npm package of the embedded kernel, `kernelcov-kernel-linux-x64`: installed beside kernelcov it is found before a
 * build is started, so that its machine needs no compiler and no kernel source. It holds the kernel with and without debug
 * information, the programs of its guests, the source files that reports show, the patches and the configuration, the licence
 * texts and an offer of the source, for which the one who hands it on has to stand: GPL-2.0, section 3.
 *
 * Usage: `npm run pack:kernel -- --offer-by "NAME <MAIL>" [FOLDER]`; builds the kernel where it is not built, and prints the
 * package's path.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { buildEmbeddedKernel } from "../src/build/build_kernel.ts";
import { type KernelManifest, readManifest, RECIPE_FOLDER } from "../src/build/kernel_folder.ts";
import { KERNEL_PACKAGE } from "../src/build/packaged_kernel.ts";
import { guestProgram } from "../src/machines/guest/guest_programs.ts";
import { loadImageIndex } from "../src/symbolize/index/load_index.ts";
import { VERSION } from "../src/version.ts";

/** Licences of what is linked into the programs: the C library of the machine that compiled them. */
const LIBRARY_LICENCES = [
  "/usr/share/doc/libc6-dev/copyright",
  "/usr/share/common-licenses/LGPL-2.1",
];

/** What the package says of its source. */
function sourceOffer({ sourceVersion, compiler }: KernelManifest, by: string): string {
  return `# Source

\`linux\` and \`vmlinux\` are the Linux kernel, GPL-2.0-only (\`COPYING\`, \`LICENSES/\`), of Debian's source package \`linux\`, version
${sourceVersion}, with the patches and the configuration in \`recipe/\`, compiled by ${compiler}. \`config\` is
the whole configuration that the build was given. The scripts that control its build are those of kernelcov ${VERSION}: \`kernelcov
kernel build\` makes it again from Debian's package \`linux-source-6.12\`. \`source/\` has the patched source files that the kernel's
code comes from, and is not the whole source.

\`init-*\` and \`launcher-*\` are compiled from \`src/machines/guest\` of kernelcov, MIT, and linked with the GNU C library, LGPL-2.1
(\`LICENSES/library/\`), with whose other versions they can be linked again: \`kernelcov\` does so with the C compiler
where they are deleted.

## Offer

For at least three years from the date on which you got this package, ${by} gives anyone, for no more than
the cost of doing it, a complete machine-readable copy of the corresponding source code of the kernel and of the C library, on a
medium customarily used for software interchange. Ask at the address given.
`;
}

/**
 * Puts what the package holds into `folder`; builds the kernel where it is not built.
 *
 * @param by who offers the source: a name and an address
 */
export async function stageKernel(folder: string, by: string): Promise<void> {
  const kernel = await buildEmbeddedKernel();
  const manifest = readManifest(kernel)!;
  // The folder has those of earlier versions too.
  const programs = [guestProgram(kernel.path, "init"), guestProgram(kernel.path, "launcher")];
  for (
    const path of [
      kernel.vmlinux,
      kernel.linux,
      kernel.manifest,
      join(kernel.path, "config"),
      ...programs,
    ]
  ) {
    copyFileSync(path, join(folder, path.slice(dirname(path).length + 1)));
  }
  const { files } = await loadImageIndex(kernel.vmlinux);
  // With Kconfig, by which a kernel's source is known.
  for (const name of ["Kconfig", ...files]) {
    const from = join(kernel.source, name), to = join(folder, "source", name);
    if (!existsSync(from) || name.startsWith("..")) continue;
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
  }
  for (const name of ["COPYING", "LICENSES"]) {
    cpSync(join(kernel.source, name), join(folder, name), { recursive: true });
  }
  mkdirSync(join(folder, "LICENSES/library"));
  for (const path of LIBRARY_LICENCES) {
    copyFileSync(path, join(folder, "LICENSES/library", path.slice(dirname(path).length + 1)));
  }
  cpSync(RECIPE_FOLDER, join(folder, "recipe"), { recursive: true });
  writeFileSync(join(folder, "SOURCE.md"), sourceOffer(manifest, by));
  writeFileSync(
    join(folder, "README.md"),
    `# ${KERNEL_PACKAGE}\n\nThe embedded kernel of kernelcov ${VERSION}, a user-mode Linux for x86-64 with glibc 2.36 or later. ` +
      "Installed beside kernelcov, it is used without a build. Licence and source: SOURCE.md.\n",
  );
  const description = {
    name: KERNEL_PACKAGE,
    version: VERSION,
    description:
      `The embedded kernel of kernelcov: Linux ${manifest.sourceVersion}, recipe ${manifest.recipe}`,
    license: "GPL-2.0-only AND MIT AND LGPL-2.1-or-later",
    os: ["linux"],
    cpu: ["x64"],
    libc: ["glibc"],
  };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
}

/**
 * Makes the package in `folder` and returns its path.
 *
 * @param by who offers the source: a name and an address
 */
export async function packKernel(folder: string, by: string): Promise<string> {
  const work = mkdtempSync(join(tmpdir(), "kernelcov-kernel-"));
  try {
    await stageKernel(work, by);
    const npm = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
    const name = execFileSync("npm", npm, { cwd: work, encoding: "utf8" }).trim();
    return join(folder, name);
  } finally {
    rmSync(work, { recursive: true });
  }
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { "offer-by": { type: "string" } },
    allowPositionals: true,
  });
  const by = values["offer-by"] ?? "";
  if (/\S.*@.*\S/.test(by)) console.log(await packKernel(resolve(positionals[0] ?? "."), by));
  else {
    console.error(
      'pack:kernel: name who offers the source, as the GPL asks: --offer-by "NAME <MAIL>"',
    );
    process.exitCode = 2;
  }
}
