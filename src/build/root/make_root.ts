import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { KcovUnavailableError } from "../../errors.ts";
import { formatStage, ProgressLine } from "../build_progress.ts";
import { installCommand } from "../debian_packages.ts";
import { cacheFolder } from "../kernel_folder.ts";
import { runToEnd } from "../run_to_end.ts";
import type { VmArch } from "../vm/vm_arch.ts";
import { debianArchives } from "./debian_archives.ts";
import {
  type ProgramRoot,
  readRoot,
  ROOT_MANIFEST,
  ROOT_PACKAGES,
  rootPath,
  type RootRequest,
} from "./root_folder.ts";

/** Names of an architecture in other places. */
const NAMES = {
  x86_64: { debian: "amd64", deno: "@deno/linux-x64-glibc", bun: "@oven/bun-linux-x64" },
  arm64: { debian: "arm64", deno: "@deno/linux-arm64-glibc", bun: "@oven/bun-linux-aarch64" },
} as const satisfies Record<VmArch, unknown>;

/** Folders that are links into /usr since Debian 12. */
const MERGED = ["bin", "lib", "sbin"];

/** Files that packages make when they are configured, which needs their own programs. */
const FILES: Readonly<Record<string, string>> = {
  "etc/group":
    `root:x:0:\ndaemon:x:1:\ntty:x:5:\ndisk:x:6:\nutmp:x:43:\nusers:x:100:\nnogroup:x:65534:\n`,
  "etc/passwd":
    "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
  // The host's names files of its own architecture.
  "etc/ld.so.cache": "",
  "etc/ld.so.preload": "",
};

/**
 * Makes the folder with an architecture's programs, where it is not there: packages of Debian's, unpacked, and Deno and Bun
 * from npm. Nothing of the host changes, and no root is needed.
 *
 * @throws {KcovUnavailableError} A program is missing, or a download failed: the message says which.
 */
export async function makeRoot(
  request: RootRequest,
  output: ConstructorParameters<typeof ProgressLine>[0] = process.stderr,
): Promise<ProgramRoot> {
  const path = rootPath(request);
  const ready = readRoot(path);
  if (ready !== undefined) return ready;
  const progress = new ProgressLine(output);
  const started = performance.now();
  const stage = <T>(name: string, work: Promise<T>): Promise<T> =>
    progress.during(() => formatStage(name, (performance.now() - started) / 1000), work);
  const { arch, added, deno, bun } = request;
  const names = NAMES[arch];
  mkdirSync(dirname(join(cacheFolder(), "roots", arch)), { recursive: true });
  const partial = mkdtempSync(`${path}.`);
  try {
    const work = join(partial, "work"), root = join(partial, "root");
    const archives = await stage(
      "Downloading Debian's packages",
      debianArchives(join(work, "apt"), names.debian, [...ROOT_PACKAGES, ...added]),
    );
    makeFolders(root);
    await stage("Unpacking Debian's packages", unpackAll(archives, root));
    await stage("Downloading Deno", addRuntime(work, root, names.deno, deno, "package/deno"));
    await stage("Downloading Bun", addRuntime(work, root, names.bun, bun, "package/bin/bun"));
    addFiles(root);
    writeFileSync(
      join(root, ROOT_MANIFEST),
      `${JSON.stringify({ ...request, madeAt: Date.now() }, null, 2)}\n`,
    );
    rmSync(path, { recursive: true, force: true });
    renameSync(root, path);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  progress.say(`Made the programs of ${arch} in ${path}`);
  return readRoot(path)!;
}

function makeFolders(root: string): void {
  for (const name of MERGED) {
    mkdirSync(join(root, "usr", name), { recursive: true });
    symlinkSync(`usr/${name}`, join(root, name));
  }
  chmodSync(root, 0o755);
}

async function unpackAll(archives: readonly string[], root: string): Promise<void> {
  const script = 'set -o pipefail; dpkg-deb --fsys-tarfile "$1" | ' +
    'tar -xf - -C "$2" --keep-directory-symlink --no-same-owner --exclude=./usr/share/doc --exclude=./usr/share/man ' +
    "--exclude=./usr/share/locale";
  for (const archive of archives) {
    await runStep("bash", ["-c", script, "bash", archive, root], `unpack ${archive}`);
  }
}

/** Adds a runtime as npm has it, to `/usr/local/bin`. */
async function addRuntime(
  work: string,
  root: string,
  name: string,
  version: string,
  program: string,
): Promise<void> {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  const args = ["pack", "--silent", "--pack-destination", folder, `${name}@${version}`];
  await runStep("npm", args, `download ${name} ${version} from npm`);
  const [archive] = readdirSync(folder);
  if (archive === undefined) {
    throw new KcovUnavailableError(
      "not-built-in",
      `npm has no ${name} ${version}: name another version`,
    );
  }
  await runStep("tar", ["-xf", join(folder, archive), "-C", folder, program], `unpack ${name}`);
  const to = join(root, "usr/local/bin", program.slice(program.lastIndexOf("/") + 1));
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(join(folder, program), to);
  chmodSync(to, 0o755);
}

function addFiles(root: string): void {
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const links = { "usr/bin/sh": "dash", "usr/bin/awk": "mawk" };
  for (const [name, target] of Object.entries(links)) {
    if (!existsSync(join(root, name))) symlinkSync(target, join(root, name));
  }
}

const PACKAGES: Readonly<Record<string, string>> = { npm: "npm", tar: "tar", bash: "bash" };

async function runStep(program: string, args: string[], what: string): Promise<void> {
  const { status, output } = await runToEnd(program, args, {}).catch((cause) => {
    throw new KcovUnavailableError(
      "not-built-in",
      `${program} is needed to ${what}: ${installCommand([PACKAGES[program]!])}`,
      { cause },
    );
  });
  if (status === 0) return;
  throw new KcovUnavailableError(
    "not-built-in",
    `Cannot ${what}: check the network and the free space\n${
      output.trim().split("\n").slice(-5).join("\n")
    }`,
  );
}
