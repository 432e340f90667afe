import { closeSync, ftruncateSync, openSync, readSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { GuestChild } from "../guest/guest_child.ts";
import { makeGuestFolder } from "../guest/guest_folder.ts";
import { type Accelerator, KVM_DEVICE } from "./accelerator.ts";
import type { KernelMachine } from "./kernel_machines.ts";

/** What a virtual machine is started from. */
export interface VmBoot {
  readonly machine: KernelMachine;
  /** What confines QEMU. */
  readonly launcher: string;
  /** Path of QEMU. */
  readonly qemu: string;
  readonly accelerator: Accelerator;
  readonly kernel: string;
  readonly initramfs: string;
  readonly memoryBytes: number;
  readonly cpus: number;
  /** Parameters for the kernel's command line besides those of every guest. */
  readonly parameters: readonly string[];
  /** Real paths of the folders of the host that the guest may write to, none inside another. */
  readonly write: readonly string[];
  /** Folder with programs of the guest's architecture, which hide the host's. */
  readonly programs?: string | undefined;
  readonly onMessages?: (text: string) => void;
}

/** How often the kernel's messages are looked for. */
const LOOK_MS = 100;
/** Bytes of messages that the file behind the console holds at most, or little more. */
const CONSOLE_BYTES = 1 << 22;

/** QEMU takes a comma in a value for the end of it. */
function escaped(path: string): string {
  return path.replaceAll(",", ",,");
}

/** The kernel's command line. */
export function kernelParameters({ machine, parameters, programs }: VmBoot): string {
  return [
    `console=${machine.console}`,
    // The machine ends when it would restart.
    "panic=-1",
    "oops=panic",
    // All messages, with their times: what led to a crash is not known before it.
    "ignore_loglevel",
    "printk.time=1",
    // The supervisor's marks, one for each test, must not be dropped for being many.
    "printk.devkmsg=on",
    "random.trust_cpu=on",
    ...machine.parameters,
    // For process 1, which gets what the kernel does not know as its environment.
    ...programs === undefined ? [] : ["KERNELCOV_PROGRAMS=1"],
    ...parameters,
  ].join(" ");
}

/** QEMU's arguments. The line of the protocol is its standard input and output. */
export function qemuArguments(boot: VmBoot, console: string): string[] {
  const { machine, accelerator, kernel, initramfs, memoryBytes, cpus, write, programs } = boot;
  const export9p = (id: string, path: string, options: string): string[] => [
    "-fsdev",
    `local,id=${id},path=${escaped(path)},security_model=none,multidevs=remap${options}`,
    "-device",
    `virtio-9p-pci,fsdev=${id},mount_tag=${id}`,
  ];
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-M", machine.board, ...accelerator.args],
    ...["-smp", String(cpus), "-m", `${Math.ceil(memoryBytes / 2 ** 20)}M`],
    ...["-kernel", kernel, "-initrd", initramfs, "-append", kernelParameters(boot)],
    ...["-chardev", "stdio,id=line,signal=off", "-device", "virtio-serial-pci"],
    ...["-device", "virtserialport,chardev=line,name=kernelcov"],
    ...[
      "-chardev",
      `file,id=console,path=${escaped(console)},append=on`,
      "-serial",
      "chardev:console",
    ],
    ...["-device", "virtio-rng-pci"],
    ...export9p("host", "/", ",readonly=on"),
    ...programs === undefined ? [] : export9p("programs", programs, ",readonly=on"),
    ...write.flatMap((folder, index) => export9p(`write${index}`, folder, "")),
  ];
}

/** A running virtual machine: QEMU, confined as the embedded kernel is. */
export class VmProcess extends GuestChild {
  readonly #console: number;
  readonly #decoder = new TextDecoder();
  readonly #timer: ReturnType<typeof setInterval>;
  #at = 0;

  constructor(boot: VmBoot) {
    const folder = makeGuestFolder(realpathSync(tmpdir()));
    const path = join(folder, "console");
    writeFileSync(path, "");
    const outside = !boot.write.some((each) => folder.startsWith(`${each}/`));
    super({
      program: boot.launcher,
      args: [
        ...boot.accelerator.name === "kvm" ? ["-d", KVM_DEVICE] : [],
        ...[...boot.write, ...outside ? [folder] : []].flatMap((each) => ["-w", each]),
        "--",
        boot.qemu,
        ...qemuArguments(boot, path),
      ],
      folder,
      onMessages: boot.onMessages,
    });
    this.#console = openSync(path, "r+");
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  protected override takeErrors(text: string): void {
    const lines = text.split("\n").filter((line) => line !== "" && !/: warning: /.test(line));
    if (lines.length > 0) this.takeMessages(`${lines.join("\n")}\n`);
  }

  protected override atEnd(): void {
    clearInterval(this.#timer);
    this.#look();
    closeSync(this.#console);
  }

  /** Takes the messages that have come. */
  #look(): void {
    const bytes = new Uint8Array(65_536);
    for (;;) {
      const length = readSync(this.#console, bytes, 0, bytes.length, this.#at);
      if (length === 0) break;
      this.#at += length;
      // A serial console ends its lines with CR LF.
      const text = this.#decoder.decode(bytes.subarray(0, length), { stream: true });
      this.takeMessages(text.replaceAll("\r", ""));
    }
    if (this.#at < CONSOLE_BYTES) return;
    // QEMU appends: what comes next is at the start.
    ftruncateSync(this.#console, 0);
    this.#at = 0;
  }
}
