import process from "node:process";
import { KcovUnavailableError } from "../errors.ts";
import { loadImageIndex } from "../symbolize/load_index.ts";
import { buildEmbeddedKernel, embeddedKernelPath } from "../uml/build_kernel.ts";
import { ownKernel } from "../uml/own_kernel.ts";
import { type GuestCommand, type GuestResult, runInKernel } from "../uml/run_kernel.ts";
import { parseCommandLine } from "./command_line.ts";
import { GUEST_OPTIONS, guestOptions } from "./guest_options.ts";
import { listKernels, pruneKernels } from "./kernel_cache.ts";
import { UsageError } from "./usage_error.ts";

const HELP = `kernelcov kernel build
    Builds the embedded kernel, once; says first how long that takes.
kernelcov kernel run [--write DIR]… [--timeout SECONDS] [--memory SIZE] [--kernel PATH] -- COMMAND…
    Runs a command in it, in this folder and with this environment. It sees the host's files and may change only
    the folders named with --write; other changes are lost. The exit status is the command's; 124 at the time limit.
    --kernel PATH: in a user-mode Linux kernel of your own, its folder or its file linux.
kernelcov kernel shell [--write DIR]… [--memory SIZE] [--kernel PATH]
    Runs a shell in it.
kernelcov kernel path
    Prints the path of its ELF file with debug information, for gdb, objdump or llvm-symbolizer.
kernelcov kernel list [--json]
    Lists the kernels in the cache: a new source, configuration or compiler makes a new one.
kernelcov kernel prune
    Removes all but the one in use. Reports of runs on the removed ones are then no longer possible.
`;

const RUN_OPTIONS = { ...GUEST_OPTIONS, kernel: { type: "string" } } as const;
const NAMES = "build, run, shell, path, list or prune";

/** `kernelcov kernel build|run|shell|path|list|prune`: the embedded kernel. Returns the exit status. */
export async function kernelCommand(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  const end = rest.indexOf("--");
  const own = end < 0 ? rest : rest.slice(0, end);
  if (own.includes("--help") || own.includes("-h")) {
    process.stdout.write(HELP);
    return 0;
  }
  switch (name) {
    case "build":
      return await build(rest);
    case "run":
      return await run(rest);
    case "shell":
      return await shell(rest);
    case "path":
      return path(rest);
    case "list":
      return listKernels(rest);
    case "prune":
      return pruneKernels(rest);
    case "help":
    case "--help":
    case "-h":
      process.stdout.write(HELP);
      return 0;
    case undefined:
      throw new UsageError(`Name what to do with the kernel: ${NAMES}`);
    default:
      throw new UsageError(`Unknown kernel command "${name}": use ${NAMES}`);
  }
}

async function build(args: string[]): Promise<number> {
  takeNoArguments("build", args);
  const folder = await buildEmbeddedKernel();
  // Reports in a guest could build the index, but not keep it.
  await loadImageIndex(folder.vmlinux);
  process.stdout.write(`${folder.vmlinux}\n`);
  return 0;
}

function path(args: string[]): number {
  takeNoArguments("path", args);
  const image = embeddedKernelPath();
  if (image === undefined) {
    throw new KcovUnavailableError(
      "no-image",
      "The embedded kernel is not built yet: run kernelcov kernel build",
    );
  }
  process.stdout.write(`${image}\n`);
  return 0;
}

async function run(args: string[]): Promise<number> {
  const { values, operands, command } = parseCommandLine(args, RUN_OPTIONS);
  if (operands.length > 0) {
    throw new UsageError(`Unexpected "${operands[0]}": put the command behind --`);
  }
  if (command.length === 0) throw new UsageError("There is no command to run: put it behind --");
  return report(await runInKernel({ command, ...runOptions(values) }), values.timeout);
}

async function shell(args: string[]): Promise<number> {
  const { values, operands, command } = parseCommandLine(args, RUN_OPTIONS);
  if (operands.length > 0 || command.length > 0) {
    throw new UsageError("A shell takes no command: use kernelcov kernel run");
  }
  const program = process.env["SHELL"] ?? "/bin/sh";
  const env = { ...process.env, debian_chroot: "kernelcov" };
  return report(await runInKernel({ command: [program], env, ...runOptions(values) }));
}

function runOptions(
  { kernel, ...values }: Parameters<typeof guestOptions>[0] & { kernel?: string },
): Omit<GuestCommand, "command"> {
  const guest = guestOptions(values);
  return kernel === undefined ? guest : { ...guest, kernel: ownKernel(kernel) };
}

function report({ exitStatus, end }: GuestResult, timeout?: string): number {
  if (end === "timed-out") {
    process.stderr.write(`kernelcov: The command was ended at its time limit of ${timeout} s\n`);
  }
  if (end === "powered-off") {
    process.stderr.write(
      "kernelcov: The command powered the guest off, so it has no exit status\n",
    );
  }
  return exitStatus;
}

function takeNoArguments(name: string, args: string[]): void {
  const { operands, command } = parseCommandLine(args, {});
  const extra = [...operands, ...command][0];
  if (extra !== undefined) {
    throw new UsageError(`kernel ${name} takes no argument: leave ${extra} out`);
  }
}
