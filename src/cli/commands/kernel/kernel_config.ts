import { readFileSync, statSync } from "node:fs";
import process from "node:process";
import { missingVmOptions } from "../../../build/vm/missing_options.ts";
import { vmConfiguration } from "../../../build/vm/vm_options.ts";
import { configurationIn } from "../../../machines/vm/needed_options.ts";
import { parseCommandLine, UsageError, warn } from "../../command_line.ts";
import { parseArch } from "./kernel_rootfs.ts";

/** `kernelcov kernel config --vm [FILE]`: the options of a kernel for virtual machines, or those that one lacks. */
export function config(args: string[]): number {
  const { values, operands, command } = parseCommandLine(args, {
    vm: { type: "boolean" },
    arch: { type: "string" },
  });
  const [named, extra] = [...operands, ...command];
  if (extra !== undefined) {
    throw new UsageError(`kernel config takes one configuration: leave ${extra} out`);
  }
  if (values.vm !== true) {
    throw new UsageError("Say what the kernel is to run in: --vm, a virtual machine");
  }
  if (named === undefined) {
    const arch = values.arch ?? (process.arch === "arm64" ? "arm64" : "x86_64");
    process.stdout.write(vmConfiguration(parseArch(arch)));
    return 0;
  }
  if (values.arch !== undefined) {
    throw new UsageError("A configuration says its architecture: leave --arch out");
  }
  const path = configurationAt(named);
  const { count, text } = missingVmOptions(read(path), path);
  process.stdout.write(text);
  warn(
    count === 0
      ? `${path} has all that a virtual machine needs`
      : `${path} lacks ${count} of the options that a virtual machine needs`,
  );
  return 0;
}

function configurationAt(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return path;
  const found = configurationIn(path);
  if (found !== undefined) return found;
  throw new TypeError(`There is no .config in ${path}: name the folder of a kernel's build`);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new TypeError(`Cannot read ${path}: name the .config of a kernel`, { cause });
  }
}
