import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { vmKernel } from "../../../src/machines/vm/vm_kernel.ts";
import { inWorkshop, PROGRAMS, type Workshop } from "../../_support/build_workshop.ts";
import { startKernelcov } from "../../_support/guest_run.ts";

const INSTALLED = `printf 'install ok installed\\t1\\n'`;

/** As {@linkcode PROGRAMS}, for a kernel of arm64 with a module. */
const VM_PROGRAMS: Record<string, string> = {
  ...PROGRAMS,
  "dpkg-query": INSTALLED,
  "aarch64-linux-gnu-gcc": "echo aarch64-linux-gnu-gcc 12",
  make: `case "$*" in
    *allnoconfig*) cp "$KCONFIG_ALLCONFIG" .config; [ -z "$DROP" ] || sed -i "/$DROP=/d" .config ;;
    *modules_install*)
      for word; do case "$word" in INSTALL_MOD_PATH=*) to=\${word#*=}/lib/modules/6.12.3-own ;; esac; done
      mkdir -p "$to/kernel"; : >"$to/kernel/ext4.ko"; : >"$to/modules.dep"; ln -sfn "$PWD" "$to/build" ;;
    *)
      echo "char text[] = \\"$(cat kernel/*.c | sha1sum)\\"; int main(void) { return 0; }" >main.c
      /usr/bin/gcc -g -Wl,--build-id=sha1 -o vmlinux main.c
      mkdir -p arch/arm64/boot include/config; echo 6.12.3-own >include/config/kernel.release
      { head -c 56 /dev/zero; printf 'ARMd'; head -c 4096 /dev/zero; } >arch/arm64/boot/Image ;;
  esac`,
};

function makeTree({ folder }: Workshop): string {
  const tree = join(folder, "linux");
  const files: Record<string, string> = {
    "Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 3\nEXTRAVERSION =\n",
    "Kconfig": "",
    "arch/um/Kconfig": "",
    "drivers/gpu/drm/one.c": "",
    "kernel/kcov.c": "int kcov;\n",
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  return tree;
}

function kernelcov({ folder, env }: Workshop, args: string[], more: Record<string, string> = {}) {
  return startKernelcov(args, { env: { ...env, ...more }, cwd: folder }).ended;
}

test("kernel build --arch makes a kernel for virtual machines, with its modules, that --kernel takes", () =>
  inWorkshop(VM_PROGRAMS, async (workshop) => {
    const tree = makeTree(workshop);
    const build = ["kernel", "build", "--source", tree, "--arch", "arm64"];
    const first = await kernelcov(workshop, build);
    assert.equal(first.status, 0, first.stderr);
    const boot = first.stdout.trim(), folder = dirname(boot);
    assert.equal(boot, join(folder, "Image"));
    const made = workshop.calls().filter((call) => call.startsWith("make "));
    for (const call of made) {
      assert.match(call, /^make ARCH=arm64 .*CROSS_COMPILE=aarch64-linux-gnu-/);
      assert.doesNotMatch(call, /mcmodel/);
    }
    assert.match(made[1]!, / Image modules$/);
    const config = readFileSync(join(folder, "config"), "utf8");
    assert.match(config, /^CONFIG_SERIAL_AMBA_PL011=y$/m);
    assert.match(config, /^CONFIG_EXT4_FS=m$/m);
    assert.doesNotMatch(config, /CONFIG_HOSTFS|CONFIG_SERIAL_8250|CONFIG_X86/);
    assert.deepEqual(readdirSync(join(folder, "lib/modules/6.12.3-own")), [
      "kernel",
      "modules.dep",
    ]);
    // All drivers are there, unlike for user-mode Linux.
    assert.ok(existsSync(join(folder, "made/drivers/gpu/drm/one.c")));
    for (const path of [boot, folder]) {
      const kernel = vmKernel(path, undefined);
      assert.ok(kernel !== undefined);
      assert.deepEqual([kernel.machine.arch, kernel.release], ["arm64", "6.12.3-own"]);
    }
    const again = await kernelcov(workshop, build);
    assert.deepEqual([again.stdout, again.stderr], [first.stdout, ""]);
    writeFileSync(join(tree, "kernel/kcov.c"), "int changed;\n");
    assert.notEqual((await kernelcov(workshop, build)).stdout, first.stdout);
    const list = (await kernelcov(workshop, ["kernel", "list"])).stdout;
    assert.match(list, /newest of linux \(.*\/linux\), --arch arm64\n/);
  }));

test("an option without which a machine does not start is an error, and one of the user's too", () =>
  inWorkshop(VM_PROGRAMS, async (workshop) => {
    const build = ["kernel", "build", "--source", makeTree(workshop), "--arch", "arm64"];
    const lacking = await kernelcov(workshop, build, { DROP: "CONFIG_NET_9P_VIRTIO" });
    assert.equal(lacking.status, 3);
    assert.match(
      lacking.stderr,
      /cannot do without CONFIG_NET_9P_VIRTIO=y, which the tree's Kconfig/,
    );
    const fragment = join(workshop.folder, "own.config");
    writeFileSync(fragment, "CONFIG_OWN=y\n");
    const refused = await kernelcov(workshop, [...build, "--config", fragment], {
      DROP: "CONFIG_OWN",
    });
    assert.equal(refused.status, 3);
    assert.match(
      refused.stderr,
      /does not accept CONFIG_OWN=y: add the options .* as arm64 has them/,
    );
    writeFileSync(fragment, 'CONFIG_CC_VERSION_TEXT="gcc"\nCONFIG_X86_64=y\n');
    const other = await kernelcov(workshop, [...build, "--config", fragment]);
    assert.match(
      other.stderr,
      /own\.config is not a configuration of arm64: make one with make ARCH=arm64/,
    );
  }));

test("wrong uses of --arch say what to change", () =>
  inWorkshop(VM_PROGRAMS, async (workshop) => {
    const cases: readonly (readonly [string[], RegExp])[] = [
      [["build", "--arch", "arm64"], /--arch is for the kernel of a tree: add --source DIR/],
      [["build", "--arch", "mips"], /Unknown architecture "mips": use x86_64 or arm64/],
      [["build", "--source", "a", "--arch", "arm64", "--name", "a"], /--name is not for --source/],
      [["rootfs"], /Say whose programs to make: --arch arm64 or x86_64/],
      [["rootfs", "here", "--arch", "arm64"], /kernel rootfs takes no argument: leave here out/],
      [["run", "--kernel", "ssh://host", "--", "true"], /Another machine is for test and record/],
    ];
    for (const [args, message] of cases) {
      const { status, stderr } = await kernelcov(workshop, ["kernel", ...args]);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
    }
  }));

/** Programs that make a package of Debian's and one of npm's out of nothing. */
const ROOT_PROGRAMS: Record<string, string> = {
  ...PROGRAMS,
  tar: 'exec /usr/bin/tar "$@"',
  "apt-get": `[ -z "$OFFLINE" ] || { echo "E: Failed to fetch it"; exit 100; }
    for word; do case "$word" in Dir::Cache=*) cache=\${word#*=} ;; esac; done
    case "$*" in *download-only*) : >"$cache/archives/hello_1_arm64.deb" ;; esac`,
  "dpkg-deb":
    `at=$(mktemp -d); mkdir -p "$at/bin"; echo hello >"$at/bin/hello"; chmod 755 "$at/bin/hello"
    /usr/bin/tar -cf - -C "$at" ./bin; rm -r "$at"`,
  npm: `for word; do case "$last" in --pack-destination) to=$word ;; esac; last=$word; done
    at=$(mktemp -d); mkdir -p "$at/package/bin"; echo deno >"$at/package/deno"; echo bun >"$at/package/bin/bun"
    /usr/bin/tar -czf "$to/it.tgz" -C "$at" package; rm -r "$at"`,
};

test("kernel rootfs makes a folder of an architecture's programs, once for each choice", () =>
  inWorkshop(ROOT_PROGRAMS, async (workshop) => {
    const args = ["kernel", "rootfs", "--arch", "arm64", "--deno", "2.0.1", "--bun", "1.0.2"];
    const offline = await kernelcov(workshop, args, { OFFLINE: "1" });
    assert.equal(offline.status, 3);
    assert.match(
      offline.stderr,
      /could not download Debian's packages: Failed to fetch it: check the/,
    );
    assert.deepEqual(readdirSync(join(workshop.folder, "kernelcov/roots")), []);

    const first = await kernelcov(workshop, args);
    assert.equal(first.status, 0, first.stderr);
    const root = first.stdout.trim();
    const text = (name: string) => readFileSync(join(root, name), "utf8");
    assert.deepEqual([text("usr/local/bin/deno"), text("usr/local/bin/bun")], ["deno\n", "bun\n"]);
    assert.equal(statSync(join(root, "usr/local/bin/bun")).mode & 0o777, 0o755);
    // /bin is a link into /usr, as in Debian.
    assert.equal(text("usr/bin/hello"), "hello\n");
    assert.match(text("etc/passwd"), /^root:x:0:0:/);
    const calls = workshop.calls();
    const install = calls.find((call) => call.includes("download-only"))!;
    assert.match(install, /-o APT::Architecture=arm64 .* bash dash coreutils /);
    for (const option of ["Dir::State", "Dir::State::status", "Dir::Cache"]) {
      assert.ok(install.includes(`-o ${option}=${workshop.folder}`), option);
    }
    assert.ok(calls.some((call) => /^npm pack .*@deno\/linux-arm64-glibc@2\.0\.1$/.test(call)));
    assert.ok(calls.some((call) => /^npm pack .*@oven\/bun-linux-aarch64@1\.0\.2$/.test(call)));

    const again = await kernelcov(workshop, args);
    assert.equal(again.stdout, first.stdout);
    assert.equal(workshop.calls().length, calls.length);
    const more = await kernelcov(workshop, [...args, "--package", "strace"]);
    assert.notEqual(more.stdout, first.stdout);
    assert.match(workshop.calls().join("\n"), /usr-is-merged strace$/m);
    // Guests use the last one.
    const pruned = await kernelcov(workshop, ["kernel", "prune"]);
    assert.match(pruned.stdout, /^Removed roots\/arm64-[0-9a-f]+ \(\d+ MB\)\n$/);
    assert.deepEqual([existsSync(root), existsSync(more.stdout.trim())], [false, true]);
  }));
