import { readFileSync } from "node:fs";
import { parse } from "node:path";
import process from "node:process";
import { KcovUnavailableError } from "../../../errors.ts";
import { loadImageIndex } from "../../../symbolize/index/load_index.ts";
import {
  buildEmbeddedKernel,
  findEmbeddedKernel,
  kernelCacheKey,
  type KernelDefinition,
  remoteKernel,
} from "../../../build/build_kernel.ts";
import { faultsKernel } from "../../../build/faults_kernel.ts";
import { checkKernelName } from "../../../build/kernel_names.ts";
import { parseKernelOptions } from "../../../build/kernel_options.ts";
import type { CommandEnd, Machine } from "../../../machines/machine.ts";
import { GUEST_OPTIONS, guestOptions, type GuestValues } from "../../recording/guest_options.ts";
import {
  buildSource,
  SOURCE_OPTIONS,
  type SourceValues,
  treeMachine,
  treeRequest,
} from "../../recording/source_options.ts";
import { buildVmKernel } from "../../../build/vm/build_vm_kernel.ts";
import { remoteMachine } from "../../recording/remote_run.ts";
import { config } from "./kernel_config.ts";
import { parseArch, rootfs } from "./kernel_rootfs.ts";
import { cacheFolderPath } from "../../../sys/cache_folder.ts";
import { listKernels, pruneKernels } from "./kernel_cache.ts";
import { guestMachine, kernelDefinition } from "../../recording/machine_choice.ts";
import {
  type Command,
  commandToRun,
  parseCommandLine,
  UsageError,
  warn,
} from "../../command_line.ts";

const HELP = `kernelcov kernel build|run|shell|path|config|rootfs|cache-key|list|prune
kernelcov kernel build
    Builds the embedded kernel, once, after an estimate of the time.
kernelcov kernel build --config FRAGMENT [--name NAME]
    Builds a second kernel: the embedded one with the options of a file, in lines such as CONFIG_NAME=y or
    # CONFIG_NAME is not set. An option that Kconfig drops is an error. The kernel's name is the file's, without its
    ending, unless --name is given; --kernel NAME selects it in test, record and the commands below. Options are built
    in (=y): there are no modules.
kernelcov kernel build --remote
    Builds the kernel "remote": the embedded one with workers that record for a handle, of vhost and NFC, for
    test --kernel remote --remote common.
kernelcov kernel build --faults
    Builds the kernel that test --fail-nth takes: the embedded one with fault injection. Its name is faults.
kernelcov kernel build --source DIR [--config FILE] [--llvm] [--no-patch]
    Builds the kernel of a Linux source tree of yours, from 6.1 on, as user-mode Linux; later only what has changed. The
    tree is only read: a copy in the cache is patched and built. --config: a file with options, or a whole .config of
    user-mode Linux, to which what kernelcov needs is added. --llvm: clang in place of GCC. --no-patch: the tree's own
    KCOV, where a patch of kernelcov's does not fit. The commands below, test and record take these options too.
kernelcov kernel build --source DIR --arch x86_64|arm64 [--config FILE] [--llvm] [--no-patch]
    Builds the kernel of the tree for virtual machines, with its modules, and prints the file that --kernel takes. ext4 is
    a module. For another architecture than this machine's with a cross compiler.
kernelcov kernel run [--write DIR]… [--timeout SECONDS] [--memory SIZE] [--cpus N] [--kernel NAME|PATH] [--source DIR]
                     [--append PARAMETER]… [--dmesg] -- COMMAND…
    Runs a command in the kernel, in this folder and with this environment. It sees the host's files, and can change
    only the folders named with --write; other changes are lost. The exit status is the command's; 124 at the time limit,
    with SIGTERM and 5 s later SIGKILL; 3 if the guest crashed, was killed or powered off.
    --append: adds to the kernel's command line, such as um_fault_around=0, which maps pages one by one.
    --dmesg: shows the kernel's messages as they come. A crash is always shown with functions and lines.
    --kernel PATH: a kernel of your own, its file or its folder; the path has a slash. A bzImage, Image or vmlinux runs
    in a virtual machine (QEMU), with --cpus processors. Of a user-mode Linux without hostfs.patch only the host keeps
    the command from other folders: kernelcov doctor says how.
kernelcov kernel shell [--write DIR]… [--memory SIZE] [--cpus N] [--kernel NAME|PATH] [--source DIR]
                       [--append PARAMETER]… [--dmesg]
    Runs a shell in the kernel.
kernelcov kernel path [--kernel NAME]
    Prints the path of the kernel's vmlinux with debug information, for gdb, objdump or llvm-symbolizer.
kernelcov kernel config --vm [--arch x86_64|arm64] [FILE|FOLDER]
    Prints the options that a kernel of your own needs to run in a virtual machine, for the merge_config.sh of its source.
    With its .config, or the folder of its build: only those that it lacks, none where it has all.
kernelcov kernel rootfs --arch arm64 [--package NAME]… [--deno VERSION] [--bun VERSION]
    Makes the programs that guests of another architecture run: Debian's packages and those of --package, unpacked into a
    folder of the cache, with Deno and Bun from npm. Such guests see them in front of the host's files. Prints the folder.
kernelcov kernel cache-key [--config FRAGMENT] [--folder]
    Prints a name for the kernel that build would make here: it changes with the kernel's source package, the compiler,
    the options and kernelcov's own patches. For caches of CI jobs, with the folder that --folder prints.
kernelcov kernel list [--json]
    Lists the kernels in the cache. Each new source, configuration or compiler makes a new one; those of --source are
    named by tree, branch and commit.
kernelcov kernel prune [NAME]…
    Removes all kernels except the embedded one, those with a name and, of those of --source, the newest of each tree and
    branch; with names, removes these. Build files of trees that are gone and replaced folders of rootfs are removed
    too. Runs that were recorded on a removed kernel can no longer be reported.
`;

const RUN_OPTIONS = {
  ...GUEST_OPTIONS,
  ...SOURCE_OPTIONS,
  kernel: { type: "string" },
} as const;
const NAMES = "build, run, shell, path, config, rootfs, cache-key, list or prune";

/** `kernelcov kernel build|run|shell|path|config|rootfs|cache-key|list|prune`: the embedded kernel. */
export const kernelCommand: Command = { help: HELP, run };

function run([name, ...rest]: string[]): number | Promise<number> {
  switch (name) {
    case "build":
      return build(rest);
    case "run":
      return runCommand(rest);
    case "shell":
      return shell(rest);
    case "path":
      return path(rest);
    case "config":
      return config(rest);
    case "rootfs":
      return rootfs(rest);
    case "cache-key":
      return cacheKey(rest);
    case "list":
      return listKernels(rest);
    case "prune":
      return pruneKernels(rest);
    case "help":
      process.stdout.write(HELP);
      return 0;
    case undefined:
      throw new UsageError(`Name what to do with the kernel: ${NAMES}`);
    default:
      throw new UsageError(`Unknown kernel command "${name}": use ${NAMES}`);
  }
}

async function build(args: string[]): Promise<number> {
  const { values, operands, command } = parseCommandLine(args, {
    ...SOURCE_OPTIONS,
    name: { type: "string" },
    remote: { type: "boolean" },
    faults: { type: "boolean" },
    arch: { type: "string" },
  });
  takeNoOperands("build", [...operands, ...command]);
  const { source, config, llvm } = values;
  const own = values.remote ? "--remote" : values.faults ? "--faults" : undefined;
  const options = [config, values.name, values.arch, values.llvm, values["no-patch"]];
  if (own !== undefined && [source, ...options].some((value) => value !== undefined)) {
    throw new UsageError(
      `${own} is a kernel of its own: leave out --source, --config, --name, --arch, --llvm and --no-patch`,
    );
  }
  if (values.arch !== undefined) return await buildForVm(values.arch, values);
  const isEmbedded = config !== undefined && source === undefined && !llvm && !values["no-patch"];
  const request = isEmbedded ? undefined : treeRequest(values);
  if (request !== undefined) {
    if (values.name !== undefined) {
      throw new UsageError("--name is not for --source, whose kernels are known by their tree");
    }
    process.stdout.write(`${(await buildSource(request)).folder.vmlinux}\n`);
    return 0;
  }
  const folder = await buildEmbeddedKernel(definition(values));
  // Reports in a guest could build the index, but not keep it.
  await loadImageIndex(folder.vmlinux);
  process.stdout.write(`${folder.vmlinux}\n`);
  return 0;
}

/** Builds the kernel of a tree for virtual machines, and its index; prints the file that `--kernel` takes. */
async function buildForVm(
  arch: string,
  values: SourceValues & { readonly name?: string },
): Promise<number> {
  const target = parseArch(arch);
  const request = treeRequest(values);
  if (request === undefined) {
    throw new UsageError("--arch is for the kernel of a tree: add --source DIR");
  }
  if (values.name !== undefined) {
    throw new UsageError("--name is not for --source, whose kernels are known by their tree");
  }
  const { boot, folder } = await buildVmKernel(request, target);
  await loadImageIndex(folder.vmlinux);
  process.stdout.write(`${boot}\n`);
  return 0;
}

function definition(
  { config, name, remote, faults }: {
    config?: string;
    name?: string;
    remote?: boolean;
    faults?: boolean;
  },
): KernelDefinition | undefined {
  if (remote === true) return remoteKernel();
  if (faults === true) return faultsKernel();
  if (config === undefined) {
    if (name === undefined) return undefined;
    throw new UsageError("--name is the name of a kernel with options of your own: add --config");
  }
  const own = name ?? parse(config).name;
  try {
    checkKernelName(own);
    const fragment = readFileSync(config, "utf8");
    if (parseKernelOptions(fragment, config).size > 0) return { name: own, fragment };
  } catch (cause) {
    if (cause instanceof TypeError) throw new UsageError(cause.message, { cause });
    throw new TypeError(`Cannot read ${config}: name a file with options of a kernel`, { cause });
  }
  throw new UsageError(`There is no option in ${config}: write lines such as CONFIG_NAME=y`);
}

function path(args: string[]): number {
  const { values, operands, command } = parseCommandLine(args, {
    kernel: { type: "string", default: "embedded" },
  });
  takeNoOperands("path", [...operands, ...command]);
  const folder = findEmbeddedKernel(kernelDefinition(values.kernel));
  if (folder === undefined) {
    const what = values.kernel === "embedded" ? "embedded kernel" : `kernel ${values.kernel}`;
    throw new KcovUnavailableError(
      "no-image",
      `The ${what} is not built yet: run kernelcov kernel build`,
    );
  }
  process.stdout.write(`${folder.vmlinux}\n`);
  return 0;
}

function cacheKey(args: string[]): number {
  const { values, operands, command } = parseCommandLine(args, {
    config: { type: "string" },
    folder: { type: "boolean" },
  });
  takeNoOperands("cache-key", [...operands, ...command]);
  process.stdout.write(
    values.folder ? `${cacheFolderPath()}\n` : `${kernelCacheKey(definition(values))}\n`,
  );
  return 0;
}

async function runCommand(args: string[]): Promise<number> {
  const line = parseCommandLine(args, RUN_OPTIONS);
  const command = commandToRun(line, "command to run");
  const machine = await machineOf(line.values);
  return report(await machine.run({ command }));
}

async function shell(args: string[]): Promise<number> {
  const { values, operands, command } = parseCommandLine(args, RUN_OPTIONS);
  if (operands.length > 0 || command.length > 0) {
    throw new UsageError("A shell takes no command: use kernelcov kernel run");
  }
  const program = process.env["SHELL"] ?? "/bin/sh";
  const env = { ...process.env, debian_chroot: "kernelcov" };
  const machine = await machineOf(values);
  return report(await machine.run({ command: [program], env }));
}

async function machineOf(
  { kernel, ...values }: GuestValues & SourceValues & { readonly kernel?: string },
): Promise<Machine> {
  if (remoteMachine(kernel) !== undefined) {
    throw new UsageError("Another machine is for test and record: run the command there with ssh");
  }
  const guest = guestOptions(values);
  const request = treeRequest(values, kernel);
  if (request !== undefined) return treeMachine(await buildSource(request), guest);
  return await guestMachine(kernel ?? "embedded", guest);
}

function report({ exitStatus, end, cut }: CommandEnd): number {
  // A signal that ended the command shows in its status, and a crash has been told.
  if (cut !== undefined && end !== "exited" && end !== "crashed") {
    warn(cut);
  }
  return exitStatus;
}

function takeNoOperands(name: string, [extra]: string[]): void {
  if (extra !== undefined) {
    throw new UsageError(`kernel ${name} takes no argument: leave ${extra} out`);
  }
}
