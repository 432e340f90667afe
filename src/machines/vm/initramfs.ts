import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";

/** A file or folder of an initramfs. */
export interface InitramfsEntry {
  readonly name: string;
  readonly mode: number;
  readonly content?: Uint8Array;
  /** Of a device node. */
  readonly device?: readonly [major: number, minor: number];
}

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFCHR = 0o020000;
const encoder = new TextEncoder();

/** An archive as the kernel unpacks it: cpio in the `newc` format, uncompressed. */
export function cpioArchive(entries: readonly InitramfsEntry[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  function add(bytes: Uint8Array): void {
    const padded = new Uint8Array(Math.ceil((size + bytes.length) / 4) * 4 - size);
    padded.set(bytes);
    parts.push(padded);
    size += padded.length;
  }
  const all = [...entries, { name: "TRAILER!!!", mode: 0 }];
  for (
    const [index, { name, mode, content = new Uint8Array(0), device = [0, 0] }] of all.entries()
  ) {
    const nameBytes = encoder.encode(`${name}\0`);
    const links = (mode & S_IFDIR) !== 0 ? 2 : 1;
    // ino, mode, uid, gid, nlink, mtime, filesize, dev (2), rdev (2), namesize, check
    const fields = [
      index + 1,
      mode,
      0,
      0,
      links,
      0,
      content.length,
      0,
      0,
      ...device,
      nameBytes.length,
      0,
    ];
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
    add(new Uint8Array([...encoder.encode(head), ...nameBytes]));
    add(content);
  }
  const archive = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

/**
 * The initramfs with a program as its process 1, made in `folder` where it is not there.
 *
 * @param modules paths of modules that process 1 loads first, in this order
 */
export function initramfs(folder: string, init: string, modules: readonly string[] = []): string {
  const files = [init, ...modules].map((path) => readFileSync(path));
  const hash = createHash("sha256").update(modules.map((path) => basename(path)).join("\n"));
  for (const content of files) hash.update(content);
  const path = join(folder, `initramfs-${hash.digest("hex").slice(0, 12)}.cpio`);
  if (existsSync(path)) return path;
  const folders = ["dev", "proc", "sys", "overlay", "modules"];
  const archive = cpioArchive([
    ...folders.map((name) => ({ name, mode: S_IFDIR | 0o755 })),
    // The kernel opens it for process 1 before that can mount a file system with devices.
    { name: "dev/console", mode: S_IFCHR | 0o600, device: [5, 1] },
    { name: "init", mode: S_IFREG | 0o755, content: files[0] },
    ...modules.map((module, index) => ({
      name: `modules/${String(index).padStart(3, "0")}-${basename(module)}`,
      mode: S_IFREG | 0o644,
      content: files[index + 1],
    })),
  ]);
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, archive);
  renameSync(partial, path);
  return path;
}
