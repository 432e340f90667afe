import { Buffer } from "node:buffer";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Address, formatAddress } from "../../src/base/address.ts";

/** A module of a {@linkcode MadeUpMachine}, where it really is. */
export interface MadeUpModule {
  readonly name: string;
  readonly size?: number;
  readonly buildId?: string;
  /** Run-time addresses. */
  readonly sections: Readonly<Record<string, Address>>;
  readonly state?: string;
  /** Bytes of the memory of its code; a page by default. */
  readonly codeSize?: number;
}

/** A folder that looks like `/` of a machine whose kernel was moved and has modules. */
export class MadeUpMachine implements Disposable {
  readonly root: string = mkdtempSync(join(tmpdir(), "kernelcov-machine-"));
  #folders = 0;

  /** @param offset by how much the kernel was moved; `undefined` hides it */
  constructor(offset: number | undefined) {
    if (offset !== undefined) {
      this.write("proc/kcore", kcore(`KERNELOFFSET=${offset.toString(16)}`));
    }
    this.load([]);
  }

  /** Makes these the modules that are loaded. Those of `again` are loaded anew although they were before. */
  load(modules: readonly MadeUpModule[], again: readonly string[] = []): void {
    const lines = modules.map(({ name, size = 0x4000, sections, state = "Live" }) =>
      `${name} ${size} 0 - ${state} ${formatAddress(sections[".text"] ?? 0)}\n`
    );
    this.write("proc/modules", lines.join(""));
    const areas = modules.map(({ sections, codeSize = 0x1000 }) => {
      const start = sections[".text"] ?? 0;
      const end = start + codeSize;
      return `${formatAddress(start)}-${
        formatAddress(end)
      } ${codeSize} load_module+0x6a8/0xa60 vmalloc\n`;
    });
    this.write(
      "proc/vmallocinfo",
      `0xffffb00000000000-0xffffb00000005000 20480 x\n${areas.join("")}`,
    );
    for (const { name, buildId = "", sections } of modules) {
      // Moved aside and not removed, so that a new folder has another number.
      if (again.includes(name)) {
        renameSync(join(this.root, "sys/module", name), join(this.root, `old${this.#folders++}`));
      }
      for (const [section, address] of Object.entries(sections)) {
        this.write(`sys/module/${name}/sections/${section}`, `${formatAddress(address)}\n`);
      }
      if (buildId !== "") {
        this.write(`sys/module/${name}/notes/.note.gnu.build-id`, note("GNU", 3, hex(buildId)));
      }
    }
  }

  /** Writes a file, and the folders that it is in. */
  write(path: string, content: string | Uint8Array): string {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}

/** `/proc/kcore` as far as its notes: a header, two program headers, a note of another kind and `VMCOREINFO`. */
export function kcore(...lines: readonly string[]): Buffer {
  const text = ["OSRELEASE=6.12.0", "PAGESIZE=4096", ...lines, "SYMBOL(prb)=ffffffff82000000", ""];
  const notes = Buffer.concat([
    note("CORE", 1, Buffer.alloc(20)),
    note("VMCOREINFO", 0, Buffer.from(text.join("\n"))),
  ]);
  const head = Buffer.alloc(64 + 2 * 56);
  head.write("\x7fELF", "latin1");
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(2, 56);
  head.writeUInt32LE(1, 64);
  head.writeUInt32LE(4, 64 + 56);
  head.writeBigUInt64LE(BigInt(head.length), 64 + 56 + 8);
  head.writeBigUInt64LE(BigInt(notes.length), 64 + 56 + 32);
  return Buffer.concat([head, notes, Buffer.alloc(100_000)]);
}

/** An ELF note. */
export function note(name: string, type: number, description: Uint8Array): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(name.length + 1, 0);
  head.writeUInt32LE(description.length, 4);
  head.writeUInt32LE(type, 8);
  return Buffer.concat([head, padded(Buffer.from(`${name}\0`)), padded(description)]);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - bytes.length % 4) % 4)]);
}

function hex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits, "hex"));
}
