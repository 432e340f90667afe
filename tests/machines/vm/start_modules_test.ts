import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { initramfs } from "../../../src/machines/vm/initramfs.ts";
import { checkConfiguration } from "../../../src/machines/vm/needed_options.ts";
import { startModules } from "../../../src/machines/vm/start_modules.ts";
import { vmConfiguration } from "../../../src/build/vm/vm_options.ts";

/** As depmod writes it: what a module needs from the nearest to the farthest. */
const DEP = `kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko
kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/fscache/fscache.ko kernel/fs/netfs/netfs.ko
kernel/net/9p/9pnet.ko:
kernel/net/9p/9pnet_virtio.ko.zst: kernel/net/9p/9pnet.ko
kernel/fs/overlayfs/overlay.ko:
`;

/** Runs `body` with a folder of modules that is removed afterwards. */
function inFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-modules-"));
  try {
    writeFileSync(join(folder, "modules.dep"), DEP);
    for (const [path] of DEP.matchAll(/kernel\/\S+?(?=:| |$)/gm)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), path);
    }
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const NEEDED = [
  "kernel/net/9p/9pnet.ko",
  "kernel/net/9p/9pnet_virtio.ko.zst",
  "kernel/fs/netfs/netfs.ko",
  "kernel/fs/fscache/fscache.ko",
  "kernel/fs/9p/9p.ko",
  "kernel/fs/overlayfs/overlay.ko",
];

test("what a machine needs to start is loaded after what that needs, and nothing else", () => {
  inFolder((folder) => {
    assert.deepEqual(startModules(folder), NEEDED.map((path) => join(folder, path)));
    assert.deepEqual(startModules(undefined), []);
    assert.deepEqual(startModules(join(folder, "lost")), []);
  });
});

test("they are in the initramfs, in their order", () => {
  inFolder((folder) => {
    const init = join(folder, "init");
    writeFileSync(init, "init");
    const archive = initramfs(folder, init, startModules(folder));
    assert.notEqual(archive, initramfs(folder, init));
    const { stdout } = spawnSync("sh", ["-c", 'cpio -it --quiet <"$0"', archive], {
      encoding: "utf8",
    });
    const names = stdout.split("\n").filter((name) => name.startsWith("modules/"));
    assert.deepEqual(
      names,
      NEEDED.map((path, index) => `modules/00${index}-${path.slice(path.lastIndexOf("/") + 1)}`),
    );
  });
});

test("an option may be a module where that is there", () => {
  inFolder((folder) => {
    const config = vmConfiguration("x86_64").replace("CONFIG_9P_FS=y", "CONFIG_9P_FS=m")
      .replace("CONFIG_VIRTIO_PCI=y", "CONFIG_VIRTIO_PCI=m");
    writeFileSync(join(folder, ".config"), config);
    assert.throws(
      () => checkConfiguration(folder, "x86_64", startModules(folder)),
      /lacks CONFIG_VIRTIO_PCI=y: add/,
    );
    writeFileSync(
      join(folder, ".config"),
      config.replace("CONFIG_VIRTIO_PCI=m", "CONFIG_VIRTIO_PCI=y"),
    );
    checkConfiguration(folder, "x86_64", startModules(folder));
    assert.throws(() => checkConfiguration(folder, "x86_64"), /lacks CONFIG_9P_FS=y/);
  });
});
