import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { runtimeName } from "../../../src/sys/runtime.ts";
import type { SmallImage } from "./small_image.ts";

const MAIN = join(import.meta.dirname!, "../../../src/cli/main.ts");

/** How a command that asks for the runs of an image is started: in this runtime, in the image's folder. */
export function commandOn(image: SmallImage, args: readonly string[]): {
  command: string;
  args: string[];
  options: { cwd: string; env: NodeJS.ProcessEnv };
} {
  const runtime = runtimeName() === "deno" ? ["run", "-A", "--no-check"] : [];
  const { XDG_CACHE_HOME: _cache, ...env } = process.env;
  return {
    command: process.execPath,
    args: [...runtime, MAIN, ...args],
    options: {
      cwd: image.folder,
      env: {
        ...env,
        KERNELCOV_VMLINUX: image.path,
        XDG_CACHE_HOME: join(image.folder, "cache"),
      },
    },
  };
}

/** Runs the command to its end. */
export function runCommandOn(
  image: SmallImage,
  args: readonly string[],
  input = "",
): SpawnSyncReturns<string> {
  const { command, args: all, options } = commandOn(image, args);
  return spawnSync(command, all, { encoding: "utf8", input, maxBuffer: 2 ** 28, ...options });
}
