import { readFileSync } from "node:fs";
import { machine, release } from "node:os";
import type { RunKernel } from "./test_record.ts";

const NT_GNU_BUILD_ID = 3;

/**
 * The build id in ELF notes, such as those of `/sys/kernel/notes`, in lower-case hexadecimal; empty where there is
 * none. Notes are little-endian, name and description padded to four bytes (System V ABI, "Note Section").
 */
export function parseBuildIdNote(notes: Uint8Array): string {
  const view = new DataView(notes.buffer, notes.byteOffset, notes.byteLength);
  for (let at = 0; at + 12 <= notes.length;) {
    const nameBytes = view.getUint32(at, true);
    const descriptionBytes = view.getUint32(at + 4, true);
    const type = view.getUint32(at + 8, true);
    const name = at + 12;
    const description = name + Math.ceil(nameBytes / 4) * 4;
    const next = description + Math.ceil(descriptionBytes / 4) * 4;
    if (description + descriptionBytes > notes.length) break;
    const isGnu = nameBytes === 4 && view.getUint32(name, false) === 0x474e5500; // "GNU\0"
    if (isGnu && type === NT_GNU_BUILD_ID) {
      const id = notes.subarray(description, description + descriptionBytes);
      return Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
    at = next;
  }
  return "";
}

/** The kernel that this process runs on. */
export function runningKernel(): RunKernel {
  let buildId = "";
  try {
    buildId = parseBuildIdNote(readFileSync("/sys/kernel/notes"));
  } catch {
    // No sysfs, or not Linux: the kernel does not tell.
  }
  return { buildId, release: release(), machine: machine() };
}
