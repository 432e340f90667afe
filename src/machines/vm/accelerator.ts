import { spawnSync } from "node:child_process";
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { KernelMachine } from "./kernel_machines.ts";

/** What runs a guest's instructions. */
export interface Accelerator {
  readonly name: "kvm" | "tcg";
  /** QEMU's arguments for it. */
  readonly args: readonly string[];
}

/** The device of KVM. */
export const KVM_DEVICE = "/dev/kvm";

/** A processor under KVM that runs nothing within this time never will. */
const TRIAL_MS = 5000;
/** The trial's program leaves with this. */
const TRIAL_STATUS = 1;

/**
 * KVM where it works for this machine's own architecture, else emulation. That it is there does not say that it works:
 * a program is run with it once for each boot of this machine.
 *
 * @param qemu path of QEMU
 * @param folder where the result is kept
 */
export function chooseAccelerator(
  machine: KernelMachine,
  qemu: string,
  folder: string,
): Accelerator {
  if (machine.nodeName === process.arch && mayUseKvm() && kvmWorks(machine, qemu, folder)) {
    return { name: "kvm", args: ["-accel", "kvm", "-cpu", "host"] };
  }
  return { name: "tcg", args: ["-accel", "tcg,thread=multi", "-cpu", machine.emulated] };
}

function mayUseKvm(): boolean {
  try {
    accessSync(KVM_DEVICE, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function kvmWorks(machine: KernelMachine, qemu: string, folder: string): boolean {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const path = join(folder, `kvm-${machine.name}.json`);
  try {
    const known = JSON.parse(readFileSync(path, "utf8"));
    if (known.boot === boot && typeof known.works === "boolean") return known.works;
  } catch {
    // Not tried yet.
  }
  const works = machine.name === "x86_64" ? runsUnderKvm(qemu, folder) : startsUnderKvm(qemu);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, JSON.stringify({ boot, works }));
  return works;
}

/** Runs four instructions, as firmware, that end QEMU. */
function runsUnderKvm(qemu: string, folder: string): boolean {
  const firmware = new Uint8Array(65_536);
  // The reset vector: mov dx, 0x501; mov al, 0; out dx, al; hlt.
  firmware.set([0xba, 0x01, 0x05, 0xb0, 0x00, 0xee, 0xf4], 0xfff0);
  const path = join(folder, "kvm-trial.bin");
  writeFileSync(path, firmware);
  const exit = ["-device", "isa-debug-exit,iobase=0x501,iosize=1"];
  const { status } = spawnSync(
    qemu,
    ["-accel", "kvm", "-cpu", "host", "-M", "pc", ...QUIET, "-m", "16", "-bios", path, ...exit],
    { stdio: "ignore", timeout: TRIAL_MS, killSignal: "SIGKILL" },
  );
  return status === TRIAL_STATUS;
}

/** Makes a processor and ends at once. */
function startsUnderKvm(qemu: string): boolean {
  const { status } = spawnSync(
    qemu,
    ["-accel", "kvm", "-cpu", "host", "-M", "virt", ...QUIET, "-S", "-monitor", "stdio"],
    { input: "quit\n", timeout: TRIAL_MS, killSignal: "SIGKILL" },
  );
  return status === 0;
}

const QUIET = ["-nodefaults", "-no-user-config", "-display", "none"];
