import { spawnSync } from "node:child_process";
import process from "node:process";
import { makeRoot } from "../../build/root/make_root.ts";
import type { VmArch } from "../../build/vm/vm_arch.ts";
import { type RuntimeName, runtimeName, runtimeVersion } from "../../sys/runtime.ts";
import { parseCommandLine, UsageError } from "../command_line.ts";

/** `kernelcov kernel rootfs --arch ARCH`: the programs of guests of another architecture. */
export async function rootfs(args: string[]): Promise<number> {
  const { values, operands, command } = parseCommandLine(args, {
    arch: { type: "string" },
    package: { type: "string", multiple: true },
    deno: { type: "string" },
    bun: { type: "string" },
  });
  const [extra] = [...operands, ...command];
  if (extra !== undefined) {
    throw new UsageError(`kernel rootfs takes no argument: leave ${extra} out`);
  }
  if (values.arch === undefined) {
    throw new UsageError("Say whose programs to make: --arch arm64 or x86_64");
  }
  const root = await makeRoot({
    arch: parseArch(values.arch),
    added: values.package ?? [],
    deno: values.deno ?? versionOf("deno"),
    bun: values.bun ?? versionOf("bun"),
  });
  process.stdout.write(`${root.path}\n`);
  return 0;
}

/** An architecture by its name in the kernel's source. */
export function parseArch(arch: string): VmArch {
  if (arch === "x86_64" || arch === "arm64") return arch;
  throw new UsageError(`Unknown architecture "${arch}": use x86_64 or arm64`);
}

/** The version of a runtime that this machine has; the newest where it has none. */
function versionOf(name: RuntimeName): string {
  if (runtimeName() === name) return runtimeVersion();
  const { stdout } = spawnSync(name, ["--version"], { encoding: "utf8" });
  return /\d+\.\d+\.\d+\S*/.exec(stdout ?? "")?.[0] ?? "latest";
}
