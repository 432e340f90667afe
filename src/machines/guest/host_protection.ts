import { spawnSync } from "node:child_process";

/** How this host confines a guest's kernel, whatever kernel it is; src/machines/guest/launcher.c does it. */
export interface HostProtection {
  /** Version of Landlock that is used; 0 for none. */
  readonly landlock: number;
  /** Whether all mounts are read-only for the guest but those of its folders: for root only. */
  readonly mounts: boolean;
  /** Whether root's capabilities are dropped. */
  readonly capabilities: boolean;
}

const NONE: HostProtection = { landlock: 0, mounts: false, capabilities: false };

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

/** The line for a kernel that cannot be sealed: what its command can do, and what this host does against it. */
export function explainUnsealed(protection: HostProtection | undefined): string {
  return `This kernel lets the command mount any folder of the host, as it lacks src/build/recipe/hostfs.patch: ${
    restraints(protection)
  }`;
}

function restraints({ landlock, mounts }: HostProtection = NONE): string {
  if (mounts && landlock > 0) {
    return `read-only mounts and Landlock ${landlock} keep the host's other files as they are`;
  }
  if (mounts) return "read-only mounts keep the host's other files as they are";
  if (landlock > 0) {
    return `Landlock ${landlock} protects the contents of the host's other files, but not their modes, owners and times`;
  }
  return "this host has no other protection";
}
