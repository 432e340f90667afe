import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { writeWhole } from "../../sys/written_files.ts";
import {
  formatDuration,
  formatProgress,
  formatStage,
  isCompiledFile,
  isLinkStep,
  ProgressLine,
} from "../build_progress.ts";
import { ensurePackages, neededPackages } from "../debian_packages.ts";
import { cacheFolder, kernelFolder, readManifest, SOURCE_PACKAGE } from "../kernel_folder.ts";
import { make } from "../kernel_make.ts";
import {
  CLANG_PACKAGES,
  compilerVersion,
  isConfiguring,
  keyOf,
  lockTree,
  optionName,
  patchTree,
  type TreeBuild,
  type TreeRequest,
} from "../tree/build_tree.ts";
import { mirrorTree } from "../tree/mirror_tree.ts";
import { sayLacks, UNPATCHED_LACKS } from "../tree/say_lacks.ts";
import { patchedFiles } from "../tree/patch_mirror.ts";
import { gitState, sourceTree } from "../tree/source_tree.ts";
import { lastBuild, treeFolder } from "../tree/tree_folder.ts";
import { patchesFor } from "../tree/tree_patches.ts";
import { isCross, VM_TARGETS, type VmArch } from "./vm_arch.ts";
import { checkVmConfig, vmTreeConfig } from "./vm_options.ts";
import { storeVmKernel, type VmTreeKernel } from "./store_vm_kernel.ts";

interface VmBuild extends TreeBuild {
  readonly arch: VmArch;
}

/**
 * Builds the kernel of a tree of the user's for virtual machines, with its modules, or what has changed of it since the
 * last time. The tree is only read.
 *
 * @throws {TypeError} The folder is no Linux tree from 6.1 on, or the configuration is invalid.
 * @throws {KcovUnavailableError} Packages are missing, a patch does not fit, an option is refused, or the build failed.
 */
export async function buildVmKernel(
  request: TreeRequest,
  arch: VmArch,
  output: ConstructorParameters<typeof ProgressLine>[0] = process.stderr,
): Promise<VmTreeKernel> {
  const { source, config: user, llvm = false, patch = true } = request;
  const tree = sourceTree(source);
  const config = vmTreeConfig(arch, user);
  const progress = new ProgressLine(output);
  const target = VM_TARGETS[arch];
  const cross = isCross(arch) && !llvm ? target.cross : "";
  const packages = [
    ...neededPackages().filter((name) => name !== SOURCE_PACKAGE),
    ...target.packages,
    ...cross === "" ? [] : [target.crossPackage],
    ...llvm ? CLANG_PACKAGES : [],
    "kmod",
  ];
  await ensurePackages(packages, progress);
  const compiler = compilerVersion(llvm ? "clang" : `${cross}gcc`);
  const variant = createHash("sha256")
    .update(JSON.stringify([arch, config.text, llvm, patch, compiler])).digest("hex").slice(0, 12);
  cacheFolder();
  const folder = treeFolder(tree.path, variant);
  const build: VmBuild = {
    arch,
    tree,
    folder,
    make: { source: folder.mirror, log: folder.log, debugName: tree.path, llvm, arch, cross },
    // Those of user-mode Linux too: others build upon them, and here nothing is compiled of what they change.
    patches: patch ? patchesFor(tree) : [],
    config,
    variant,
    options: [
      `--arch ${arch}`,
      ...user === undefined ? [] : [`--config ${user.origin}`],
      ...llvm ? ["--llvm"] : [],
      ...patch ? [] : ["--no-patch"],
    ],
    compiler,
    progress,
  };
  return await lockTree(build, () => buildLocked(build));
}

async function buildLocked(build: VmBuild): Promise<VmTreeKernel> {
  const { arch, tree, folder, patches, progress, variant, options, compiler } = build;
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const isFirst = !existsSync(folder.scan);
  if (isFirst) {
    progress.say(`Building Linux ${tree.version} of ${tree.path} for ${arch}`);
    progress.update(formatStage("Copying the source", 0), performance.now());
  }
  const { changed, stamps } = mirrorTree(tree.path, folder.mirror, folder.scan, {
    all: true,
    except: patchedFiles(patches),
  });
  const patched = patchTree(build, stamps);
  const key = keyOf(build, stamps, patched);
  const last = lastBuild(folder);
  if (last?.key === key) {
    const kernel = kernelFolder(last.kernel);
    const manifest = readManifest(kernel);
    const boot = join(last.kernel, VM_TARGETS[arch].image);
    if (manifest !== undefined && existsSync(boot)) return { folder: kernel, manifest, boot };
  }
  writeFileSync(folder.log, "");
  const isSetUp = !changed.some(isConfiguring) && isConfigured(build);
  if (!isSetUp) {
    await progress.during(() => formatStage("Configuring the kernel", seconds()), configure(build));
  }
  if (isFirst || !isSetUp) {
    const unpatched = build.options.includes("--no-patch") ? UNPATCHED_LACKS : undefined;
    sayLacks(build.progress, patched, unpatched);
  }
  const files = await compile(build, seconds);
  const git = await gitState(tree.path);
  const kernel = await storeVmKernel(
    { target: VM_TARGETS[arch], folder, tree, hasModules: hasModules(build), make: build.make },
    (buildId) => ({
      recipe: `tree ${variant}`,
      sourceVersion: tree.version,
      compiler,
      files,
      seconds: Math.round(seconds()),
      tree: {
        path: tree.path,
        buildId,
        ...git === undefined ? {} : { git },
        variant,
        options,
        patches: patched.applied,
        builtAt: Date.now(),
      },
    }),
  );
  writeWhole(folder.built, [JSON.stringify({ tree: tree.path, key, kernel: kernel.folder.path })]);
  progress.say(
    `Built Linux ${tree.version} of ${tree.path} for ${arch} in ${formatDuration(seconds())}`,
  );
  return kernel;
}

function isConfigured({ folder, config }: VmBuild): boolean {
  return existsSync(folder.configured) && readFileSync(folder.configured, "utf8") === config.text;
}

async function configure(build: VmBuild): Promise<void> {
  const { folder, make: from, config, tree, arch, progress } = build;
  const { text, target } = config;
  const file = join(folder.path, "config");
  writeFileSync(file, text);
  if (target === "olddefconfig") writeFileSync(join(folder.mirror, ".config"), text);
  await make(from, [target], target === "allnoconfig" ? { KCONFIG_ALLCONFIG: file } : {});
  const { missing } = checkVmConfig(arch, config, madeConfig(build));
  if (missing.length > 0) {
    progress.say(
      `Linux ${tree.version} does not have for ${arch} ${missing.map(optionName).join(", ")}`,
    );
  }
  writeWhole(folder.configured, [text]);
}

function madeConfig({ folder }: VmBuild): string {
  return readFileSync(join(folder.mirror, ".config"), "utf8");
}

function hasModules(build: VmBuild): boolean {
  return /^CONFIG_MODULES=y$/m.test(madeConfig(build));
}

async function compile(build: VmBuild, seconds: () => number): Promise<number> {
  const { make: from, progress, arch } = build;
  let done = 0, linking = false;
  const preparation = seconds();
  const targets = [VM_TARGETS[arch].image, ...hasModules(build) ? ["modules"] : []];
  const made = make(from, targets, {}, (line) => {
    if (isCompiledFile(line)) done++;
    if (isLinkStep(line)) linking = true;
  });
  await progress.during(
    // How many files there are is not known: configurations differ.
    () =>
      formatProgress({ done, expected: -1, seconds: seconds(), preparation, resumed: 0, linking }),
    made,
  );
  return done;
}
