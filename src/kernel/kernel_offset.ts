import { BinaryReader } from "../base/binary_reader.ts";
import { FormatError } from "../errors.ts";
import { nodeBuiltin } from "../sys/node_builtins.ts";

const PT_NOTE = 4;
const EHDR_SIZE = 64;
const PHDR_SIZE = 56;
/** Headers and notes of `/proc/kcore` take two or three pages (`get_kcore_size` in fs/proc/kcore.c). */
const HEAD_SIZE = 1 << 16;

/**
 * The running kernel's offset from its link address, which KCOV subtracts from every PC (`canonicalize_ip` in
 * kernel/kcov.c): `KERNELOFFSET` of the `VMCOREINFO` note of `/proc/kcore`, which is the same `kaslr_offset()`. A secret
 * of the machine: it must not be written anywhere.
 *
 * @param root folder of `proc`
 * @returns `undefined` where the kernel does not tell: without `CONFIG_PROC_KCORE`, and to those without `CAP_SYS_RAWIO`
 */
export function kernelOffset(root = "/"): number | undefined {
  let head: Uint8Array;
  try {
    head = readHead(`${root}/proc/kcore`);
  } catch {
    return undefined;
  }
  try {
    return offsetInNotes(head);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function readHead(path: string): Uint8Array {
  const { closeSync, openSync, readSync } = nodeBuiltin("node:fs");
  const fd = openSync(path, "r");
  try {
    const bytes = new Uint8Array(HEAD_SIZE);
    let size = 0;
    for (let count = -1; size < HEAD_SIZE && count !== 0; size += count) {
      count = readSync(fd, bytes, size, HEAD_SIZE - size, null);
    }
    return bytes.subarray(0, size);
  } finally {
    closeSync(fd);
  }
}

/** The kernel writes the note as lines of `KEY=value` (Documentation/admin-guide/kdump/vmcoreinfo.rst). */
function offsetInNotes(head: Uint8Array): number | undefined {
  const header = new BinaryReader(head, { format: "ELF", section: "kcore" }, 32);
  const table = header.u64();
  header.pos = EHDR_SIZE - 8;
  const count = header.u16();
  for (let index = 0; index < count; index++) {
    const entry = new BinaryReader(head, { format: "ELF" }, table + index * PHDR_SIZE);
    if (entry.u32() !== PT_NOTE) continue;
    entry.skip(4);
    const offset = entry.u64();
    entry.skip(16);
    const notes = new TextDecoder("latin1").decode(head.subarray(offset, offset + entry.u64()));
    const match = /\nKERNELOFFSET=([0-9a-f]{1,12})\n/.exec(notes);
    if (match !== null) return parseInt(match[1], 16);
  }
  return undefined;
}
