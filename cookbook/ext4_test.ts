// A file system on a loop device, made, mounted, used and checked. Needs root: kernelcov test --kernel embedded -- …
import assert from "node:assert/strict";
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { withKernelCoverage } from "kernelcov";
import { shell } from "./programs.ts";

const folder = mkdtempSync(join(tmpdir(), "cookbook-"));
const image = join(folder, "image");
const disk = join(folder, "disk");

before(() => {
  shell(
    `truncate -s 32M ${image}; mkfs.ext4 -q ${image}; mkdir ${disk}; mount -o loop ${image} ${disk}`,
  );
});
after(() => shell(`umount ${disk} 2>/dev/null || true; rm -r ${folder}`));

test(
  "a file that was synced is on the disk",
  withKernelCoverage((cov) => {
    const file = openSync(join(disk, "new"), "w");
    writeSync(file, "x".repeat(100_000));
    fsyncSync(file);
    closeSync(file);
    renameSync(join(disk, "new"), join(disk, "file"));
    if (!cov.available) return;
    assert.ok(cov.reached("ext4_sync_file"));
    assert.ok(cov.reached("ext4_rename"));
    // The loop device's writes are the kernel's own work, on the test's behalf.
    assert.ok(cov.reached("lo_rw_aio", { origin: "behalf" }));
  }),
);

test(
  "a hole in a file reads as zeros",
  withKernelCoverage((cov) => {
    const path = join(disk, "holes");
    writeFileSync(path, "");
    truncateSync(path, 8192);
    assert.deepEqual(readFileSync(path), Buffer.alloc(8192));
    if (cov.available) assert.ok(cov.reached("ext4_setattr"));
  }),
);

test(
  "what was unmounted is clean, and is there again",
  withKernelCoverage((cov) => {
    shell(`umount ${disk}; e2fsck -fn ${image}; mount -o loop ${image} ${disk}`);
    assert.equal(readFileSync(join(disk, "file")).length, 100_000);
    if (cov.available) assert.ok(cov.reached("ext4_fill_super"));
  }),
);
