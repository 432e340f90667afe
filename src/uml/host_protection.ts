import { spawnSync } from "node:child_process";

/** How this host confines a guest's kernel, whatever kernel it is; scripts/kernel/launcher.c does it. */
export interface HostProtection {
  /** Version of Landlock that is used; 0 for none. */
  readonly landlock: number;
  /** Whether all mounts are read-only for the guest but those of its folders: for root only. */
  readonly mounts: boolean;
  /** Whether root's capabilities are dropped. */
  readonly capabilities: boolean;
}

/** Asks the launcher; `undefined` where it cannot be run. */
export function hostProtection(launcher: string): HostProtection | undefined {
  const { status, stdout } = spawnSync(launcher, ["--check"], { encoding: "utf8" });
  if (status !== 0) return undefined;
  const found = new Map(
    stdout.trim().split("\n").map((line) => {
      const [name, value] = line.split(" ");
      return [name, Number(value)];
    }),
  );
  return {
    landlock: found.get("landlock") ?? 0,
    mounts: found.get("mounts") === 1,
    capabilities: found.get("capabilities") === 1,
  };
}

/** What of the host a guest that escapes its kernel could change, as the end of a sentence. */
export function describeProtection(protection: HostProtection | undefined): string {
  const { landlock = 0, mounts = false } = protection ?? {};
  if (mounts && landlock > 0) {
    return `read-only mounts and Landlock ${landlock} keep the host's other files as they are`;
  }
  if (mounts) return "read-only mounts keep the host's other files as they are";
  if (landlock > 0) {
    return `Landlock ${landlock} keeps what the host's other files hold, but not their modes, owners and times`;
  }
  return "this host has nothing else to keep its files from it";
}
