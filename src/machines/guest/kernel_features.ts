import { Buffer } from "node:buffer";
import type { OpenImage } from "../../kernel/image/open_image.ts";

/** Whether a kernel has the collectors of src/build/recipe: by the name of a function of theirs, so no boot is needed. */
export function hasCollectors({ elf }: OpenImage): boolean {
  const names = elf.section(".strtab");
  return names !== undefined && includesText(elf.bytes(names), "\0kcov_collector_ioctl\0");
}

/** Whether these know comparisons. */
export function hasComparingCollectors({ elf }: OpenImage): boolean {
  const names = elf.section(".strtab");
  return names !== undefined && includesText(elf.bytes(names), "\0kcov_collect_comparison\0");
}

/**
 * Whether a user-mode Linux kernel can run its processes without ptrace(2), which is off by default (Linux 6.16 and later;
 * arch/um/os-Linux/start_up.c). A page fault then takes one switch to it and back in place of three.
 */
export function offersSeccomp({ elf }: OpenImage): boolean {
  const strings = elf.section(".rodata");
  return strings !== undefined && includesText(elf.bytes(strings), "seccomp=<");
}

function includesText(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(text);
}
