import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { buildEmbeddedKernel } from "../../../src/build/build_kernel.ts";
import { inWorkshop, PROGRAMS, type Workshop } from "../../_support/build_workshop.ts";
import { startKernelcov } from "../../_support/guest_run.ts";
import { seccompKernel } from "../../_support/images/seccomp_kernel.ts";

/** As {@linkcode PROGRAMS}; each kernel has another build id, of the files that it is made of. */
const TREE_PROGRAMS: Record<string, string> = {
  ...PROGRAMS,
  make: `case "$*" in
    *allnoconfig*) cp "$KCONFIG_ALLCONFIG" .config ;;
    *)
      grep -h error: kernel/*.c >&2 && exit 2
      echo "char text[] = \\"$(cat kernel/*.c | sha1sum)\\"; int main(void) { return 0; }" >main.c
      /usr/bin/gcc -g -Wl,--build-id=sha1 -o vmlinux main.c ;;
  esac`,
};

function kernelcov({ folder, env }: Workshop, ...args: string[]) {
  return startKernelcov(args, { env, cwd: folder }).ended;
}

function makeTree({ folder }: Workshop, version = "6.12", files: Record<string, string> = {}) {
  const tree = join(folder, "linux");
  const [major, minor] = version.split(".");
  const all: Record<string, string> = {
    "Makefile": `VERSION = ${major}\nPATCHLEVEL = ${minor}\nSUBLEVEL = 3\nEXTRAVERSION =\n`,
    "Kconfig": "",
    "arch/um/Kconfig": "",
    "fs/open.c": "",
    "kernel/kcov.c": "int kcov;\n",
    "kernel/fork.c": "int fork;\n",
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  return tree;
}

function git(tree: string, ...args: string[]): string {
  const own = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-C", tree];
  return execFileSync("git", [...own, ...args], { encoding: "utf8" }).trim();
}

function makes({ calls }: Workshop): number {
  return calls().filter((call) => call.startsWith("make ")).length;
}

test("kernel build --source builds a tree once, then again as it changes, and keeps both kernels", () =>
  inWorkshop(TREE_PROGRAMS, async (workshop) => {
    const tree = makeTree(workshop);
    git(tree, "init", "-q", "-b", "pipes");
    git(tree, "add", ".");
    git(tree, "commit", "-q", "-m", "a");
    const before = git(tree, "status", "--porcelain");
    const first = await kernelcov(workshop, "kernel", "build", "--source", tree);
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stderr, /^Building Linux 6\.12\.3 of .*\/linux: about /);
    assert.equal(git(tree, "status", "--porcelain"), before);
    const folder = dirname(first.stdout.trim());
    assert.equal(readlinkSync(join(folder, "source")), realpathSync(tree));
    const made = makes(workshop);
    const again = await kernelcov(workshop, "kernel", "build", "--source", tree);
    assert.deepEqual([again.stdout, again.stderr], [first.stdout, ""]);
    assert.equal(makes(workshop), made);

    writeFileSync(join(tree, "kernel/fork.c"), "int changed;\n");
    const second = await kernelcov(workshop, "kernel", "build", "--source", tree);
    assert.notEqual(second.stdout, first.stdout);
    assert.equal(makes(workshop), made + 1, "the configuration stays");
    const list = (await kernelcov(workshop, "kernel", "list")).stdout;
    const commit = git(tree, "rev-parse", "HEAD").slice(0, 12);
    assert.match(
      list,
      new RegExp(`older of linux \\(.*/linux\\), branch pipes, commit ${commit}\\n`),
    );
    assert.match(
      list,
      new RegExp(`newest of linux \\(.*/linux\\), branch pipes, commit ${commit} with changes\\n`),
    );
    assert.match(list, /trees\/linux-[0-9a-f]+ +\d+ MB {2}build files of .*\/linux\n/);

    await kernelcov(workshop, "kernel", "prune");
    assert.deepEqual(existsSync(folder), false);
    assert.ok(existsSync(second.stdout.trim()));
    rmSync(tree, { recursive: true });
    assert.match((await kernelcov(workshop, "kernel", "prune")).stdout, /Removed trees\/linux-/);
  }));

test("a build that fails shows the compiler's error, and the next one goes on", () =>
  inWorkshop(TREE_PROGRAMS, async (workshop) => {
    const tree = makeTree(workshop, "6.12", { "kernel/fork.c": "fork.c:1:1: error: no fork\n" });
    const failed = await kernelcov(workshop, "kernel", "build", "--source", tree);
    assert.equal(failed.status, 3);
    assert.match(failed.stderr, /could not be built:\nfork\.c:1:1: error: no fork\n/);
    writeFileSync(join(tree, "kernel/fork.c"), "int fork;\n");
    assert.equal((await kernelcov(workshop, "kernel", "build", "--source", tree)).status, 0);
  }));

test("a tree that has changes where kcov.patch has its own is an error with file and hunk", () =>
  inWorkshop({ ...TREE_PROGRAMS, patch: 'exec /usr/bin/patch "$@"' }, async (workshop) => {
    const tree = makeTree(workshop);
    const build = await kernelcov(workshop, "kernel", "build", "--source", tree);
    assert.equal(build.status, 3);
    assert.match(
      build.stderr,
      /kernelcov: \w+\.patch does not fit Linux 6\.12\.3 in .*\/linux: [\w/.-]+, .*: undo the change there, or build with --no-patch/,
    );
  }));

test("what is left out of an untried version is said in words", () =>
  inWorkshop({
    ...TREE_PROGRAMS,
    patch: 'case "$*" in *um_*) echo "Hunk #1 FAILED at 1"; exit 1 ;; esac',
  }, async (workshop) => {
    const tree = makeTree(workshop, "6.18");
    const build = await kernelcov(workshop, "kernel", "build", "--source", tree);
    assert.equal(build.status, 0, build.stderr);
    assert.match(
      build.stderr,
      /^um_faults\.patch does not fit and is left out: page faults and system calls are slower$/m,
    );
    const manifest = JSON.parse(
      readFileSync(join(dirname(build.stdout.trim()), "kernel.json"), "utf8"),
    );
    assert.ok(manifest.tree.patches.includes("kcov"));
    assert.ok(!manifest.tree.patches.includes("um_faults"));
  }));

test("a kernel that can run its processes without ptrace, as those from 6.16 on, is told to", async () => {
  const { vmlinux } = await buildEmbeddedKernel();
  const programs = {
    ...PROGRAMS,
    make: `case "$*" in
      *allnoconfig*) cp "$KCONFIG_ALLCONFIG" .config ;;
      *) cp "$(cat fs/open.c)" vmlinux && chmod +x vmlinux ;;
    esac`,
  };
  await inWorkshop(programs, async (workshop) => {
    const newer = join(workshop.folder, "newer");
    writeFileSync(newer, seccompKernel(vmlinux));
    for (const [file, isTold] of [[newer, true], [vmlinux, false]] as const) {
      const tree = makeTree(workshop, "6.18", { "fs/open.c": file });
      const command = ["kernel", "run", "--source", tree, "--", "cat", "/proc/cmdline"];
      const run = await kernelcov(workshop, ...command);
      assert.equal(run.status, 0, run.stderr);
      assert.match(run.stdout, /^mem=/);
      assert.equal(/ seccomp=auto(\s|$)/.test(run.stdout), isTold, run.stdout);
    }
  });
});

test("--no-patch says what the kernel lacks, and is a build of its own", () =>
  inWorkshop(TREE_PROGRAMS, async (workshop) => {
    const tree = makeTree(workshop);
    const build = ["kernel", "build", "--source", tree];
    await kernelcov(workshop, ...build);
    const plain = await kernelcov(workshop, ...build, "--no-patch");
    assert.equal(plain.status, 0, plain.stderr);
    assert.match(plain.stderr, /^Without kernelcov's patches: .*long tests are truncated; /m);
    assert.equal(readdirSync(join(workshop.folder, "kernelcov/trees")).length, 2);
    const patches = workshop.calls().filter((call) => /^patch .*plain\//.test(call));
    assert.ok(patches.length > 0);
  }));

test("wrong uses of --source say what to change", () =>
  inWorkshop(TREE_PROGRAMS, async (workshop) => {
    const tree = makeTree(workshop, "5.10");
    const cases: readonly (readonly [string[], number, RegExp])[] = [
      [["--source", tree], 1, /is Linux 5\.10\.3: use one from 6\.1 on/],
      [["--source", workshop.folder], 1, /is not a Linux source tree: name the folder/],
      [["--llvm"], 2, /--llvm is for a kernel that is built: add --source DIR/],
      [["--source", tree, "--name", "x"], 2, /--name is not for --source/],
      [["--source", tree, "--config", "/none"], 2, /Cannot read \/none/],
    ];
    for (const [args, status, message] of cases) {
      const end = await kernelcov(workshop, "kernel", "build", ...args);
      assert.equal(end.status, status, args.join(" "));
      assert.match(end.stderr, message);
    }
    const both = ["test", "--source", tree, "--kernel", "embedded", "--", "true"];
    const end = await kernelcov(workshop, ...both);
    assert.equal(end.status, 2);
    assert.match(end.stderr, /--source and --kernel both name a kernel/);
  }));
