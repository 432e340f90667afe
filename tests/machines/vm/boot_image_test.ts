import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { bootFile } from "../../../src/machines/vm/boot_image.ts";
import { vmKernel } from "../../../src/machines/vm/vm_kernel.ts";

/** Runs `body` with a function that writes files of a folder that is removed afterwards. */
function inFolder(body: (write: (name: string, bytes: Uint8Array) => string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-vm-"));
  try {
    body((name, bytes) => {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
      return path;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function bytes(size: number, ...parts: readonly (readonly [at: number, value: string])[]) {
  const result = new Uint8Array(size);
  for (const [at, value] of parts) result.set(new TextEncoder().encode(value), at);
  return result;
}

/** A bzImage's header whose version's text is at 0x3000. */
function bzImage(): Uint8Array {
  const image = bytes(0x4000, [0x202, "HdrS"], [0x3000, "6.12.3-own (me@here) #1 SMP"]);
  new DataView(image.buffer).setUint16(0x20e, 0x3000 - 0x200, true);
  return image;
}

const ARM64 = bytes(8192, [0, "MZ"], [56, "ARM\x64"]);

/** The head of an ELF file with one segment. */
function elf(machine: number, address: bigint, { bits = 2 } = {}): Uint8Array {
  const image = bytes(4096, [0, "\x7fELF"]);
  const view = new DataView(image.buffer);
  view.setUint8(4, bits);
  view.setUint16(18, machine, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  view.setBigUint64(64 + 16, address, true);
  return image;
}

const X86 = 62, ARM = 183, RISCV = 243;
const KERNEL = 0xffff_ffff_8100_0000n;

test("a kernel's file is told by its header, whatever its name is", () => {
  inFolder((write) => {
    function kindOf(content: Uint8Array) {
      const found = bootFile(write("vmlinux.bin", content));
      return found === undefined ? undefined : [found.kind, found.machine.name, found.release];
    }
    assert.deepEqual(kindOf(bzImage()), ["bzImage", "x86_64", "6.12.3-own"]);
    assert.deepEqual(kindOf(ARM64), ["Image", "aarch64", undefined]);
    assert.deepEqual(kindOf(elf(X86, KERNEL)), ["vmlinux", "x86_64", undefined]);
    assert.deepEqual(kindOf(elf(ARM, 0xffff_8000_8000_0000n)), ["vmlinux", "aarch64", undefined]);
    // User-mode Linux is linked to addresses of programs.
    assert.equal(kindOf(elf(X86, 0x6000_0000n)), undefined);
    assert.equal(kindOf(elf(RISCV, KERNEL)), undefined);
    assert.equal(kindOf(elf(X86, KERNEL, { bits: 1 })), undefined);
    assert.equal(kindOf(new Uint8Array(0)), undefined);
    assert.equal(kindOf(bytes(600, [0x202, "HdrS"])), undefined);
    assert.equal(kindOf(bytes(5000, [0, "#!/bin/sh\n"])), undefined);
  });
});

test("of a build's folder, its vmlinux or its bzImage the same kernel is found", () => {
  inFolder((write) => {
    const vmlinux = write("build/vmlinux", elf(X86, KERNEL));
    const boot = write("build/arch/x86/boot/bzImage", bzImage());
    write("build/include/config/kernel.release", new TextEncoder().encode("6.12.3-dirty\n"));
    for (const path of [dirname(vmlinux), vmlinux, boot]) {
      const kernel = vmKernel(path, undefined);
      assert.ok(kernel !== undefined);
      assert.deepEqual([kernel.boot, kernel.vmlinux, kernel.release, kernel.folder], [
        boot,
        vmlinux,
        "6.12.3-dirty",
        dirname(vmlinux),
      ]);
    }
  });
});

test("an image that is elsewhere has to be named; a vmlinux alone cannot be booted", () => {
  inFolder((write) => {
    const boot = write("boot/vmlinuz", bzImage());
    assert.throws(() => vmKernel(boot, undefined), {
      name: "TypeError",
      message:
        `There is no vmlinux with debug information beside ${boot}: put it there, or name it with --vmlinux`,
    });
    const vmlinux = write("debug/vmlinux", elf(X86, KERNEL));
    assert.equal(vmKernel(boot, vmlinux)?.vmlinux, vmlinux);
    assert.throws(() => vmKernel(vmlinux, undefined), {
      name: "TypeError",
      message: /^There is no bzImage or Image beside /,
    });
    // A folder of links to both.
    symlinkSync(boot, join(dirname(vmlinux), "bzImage"));
    assert.equal(vmKernel(vmlinux, undefined)?.boot, boot);
  });
});

test("other kernels are for others", () => {
  inFolder((write) => {
    assert.equal(vmKernel(write("linux", elf(X86, 0x6000_0000n)), undefined), undefined);
    assert.equal(vmKernel("/no/such/kernel", undefined), undefined);
  });
});
