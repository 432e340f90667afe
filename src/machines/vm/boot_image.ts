import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { KERNEL_MACHINES, type KernelMachine } from "./kernel_machines.ts";
import { openFile } from "../../sys/open_file.ts";

/** What a file is that a virtual machine may boot. */
export interface BootFile {
  readonly kind: "bzImage" | "Image" | "vmlinux";
  readonly machine: KernelMachine;
  /** `uname -r` of the kernel, where the header tells. */
  readonly release: string | undefined;
}

const HEAD_BYTES = 4096;
const ELFCLASS64 = 2;
const PT_LOAD = 1;

/** What a kernel's file is, by its header; `undefined` where it is none that a virtual machine boots. */
export function bootFile(path: string): BootFile | undefined {
  const head = new Uint8Array(HEAD_BYTES);
  const file = openFile(path);
  try {
    const length = file.read(head, 0);
    const view = new DataView(head.buffer, 0, length);
    return bzImage(file, view) ?? arm64Image(view) ?? vmlinux(view);
  } finally {
    file.close();
  }
}

type Readable = { read(bytes: Uint8Array, position: number): number };

/** Documentation/arch/x86/boot.rst: `HdrS`, and where the version's text is. */
function bzImage(file: Readable, view: DataView): BootFile | undefined {
  if (view.byteLength < 0x264 || text(view, 0x202, 4) !== "HdrS") return undefined;
  const at = view.getUint16(0x20e, true);
  let release: string | undefined;
  if (at !== 0) {
    const bytes = new Uint8Array(256);
    file.read(bytes, at + 0x200);
    release = new TextDecoder("latin1").decode(bytes).split(/[ \0]/)[0] || undefined;
  }
  return { kind: "bzImage", machine: KERNEL_MACHINES.x86_64, release };
}

/** Documentation/arch/arm64/booting.rst: the magic number `ARM\x64`. */
function arm64Image(view: DataView): BootFile | undefined {
  if (view.byteLength < 64 || text(view, 56, 4) !== "ARMd") return undefined;
  return { kind: "Image", machine: KERNEL_MACHINES.arm64, release: undefined };
}

/** An ELF file that is linked to a kernel's addresses. A user-mode Linux is linked to those of programs. */
function vmlinux(view: DataView): BootFile | undefined {
  if (view.byteLength < 64 || text(view, 0, 4) !== "\x7fELF") return undefined;
  if (view.getUint8(4) !== ELFCLASS64) return undefined;
  const number = view.getUint16(18, true);
  const machine = Object.values(KERNEL_MACHINES).find(({ elfNumber }) => elfNumber === number);
  if (machine === undefined) return undefined;
  const table = Number(view.getBigUint64(32, true));
  const count = view.getUint16(56, true);
  for (let at = table; at < table + count * 56 && at + 56 <= view.byteLength; at += 56) {
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const isKernel = view.getBigUint64(at + 16, true) >> 63n === 1n;
    return isKernel ? { kind: "vmlinux", machine, release: undefined } : undefined;
  }
  return undefined;
}

function text(view: DataView, at: number, length: number): string {
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, length));
}

/** What a build makes, below its folder. */
const BOOT_NAMES = [
  "arch/x86/boot/bzImage",
  "arch/arm64/boot/Image",
  "bzImage",
  "Image",
  "vmlinuz",
];
const IMAGE_NAMES = ["vmlinux", "vmlinux.zst", "vmlinux.gz", "vmlinux.xz"];

/** The file to boot in a folder: that of a build, or one that such files were copied to. */
export function bootFileIn(folder: string): string | undefined {
  return BOOT_NAMES.map((name) => join(folder, name)).find(isFile);
}

/** The kernel's image with debug information that belongs to a file that is booted. */
export function imageBeside(path: string): string | undefined {
  const folder = dirname(path);
  const folders = [folder];
  // arch/x86/boot/bzImage of a build.
  if (/\/arch\/[^/]+\/boot$/.test(folder)) folders.push(join(folder, "../../.."));
  return folders.flatMap((each) => IMAGE_NAMES.map((name) => join(each, name))).find(isFile);
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}
