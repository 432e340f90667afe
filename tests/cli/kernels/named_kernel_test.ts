import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inWorkshop, PROGRAMS, type Workshop } from "../../_support/build_workshop.ts";
import { startKernelcov } from "../../_support/guest_run.ts";

function kernelcov({ folder, env }: Workshop, ...args: string[]) {
  return startKernelcov(args, { env, cwd: folder }).ended;
}

interface Listed {
  readonly name: string;
  readonly kernels: readonly string[];
  readonly state: string;
}

async function list(workshop: Workshop): Promise<Listed[]> {
  return JSON.parse((await kernelcov(workshop, "kernel", "list", "--json")).stdout);
}

test("kernel build --config makes a second kernel, named as its file, that --kernel stands for", () =>
  inWorkshop(PROGRAMS, async (workshop) => {
    const { folder, kernels, calls } = workshop;
    writeFileSync(join(folder, "dm.config"), "CONFIG_MD=y\n# CONFIG_WIREGUARD is not set\n");
    const embedded = await kernelcov(workshop, "kernel", "build");
    const second = await kernelcov(workshop, "kernel", "build", "--config", "dm.config");
    assert.equal(second.status, 0, second.stderr);
    assert.match(second.stderr, /^Building the kernel dm once: /);
    assert.match(second.stderr, /\nBuilt the kernel dm in \d:\d\d\n$/);
    assert.notEqual(second.stdout, embedded.stdout);
    assert.equal(readdirSync(kernels).length, 2);
    const config = readFileSync(join(second.stdout.trim(), "../source/.config"), "utf8");
    assert.match(config, /^CONFIG_MD=y$/m);
    assert.match(config, /^# CONFIG_WIREGUARD is not set$/m);
    assert.match(config, /^CONFIG_KCOV=y$/m);
    assert.doesNotMatch(config, /^CONFIG_WIREGUARD=y$/m);

    const path = await kernelcov(workshop, "kernel", "path", "--kernel", "dm");
    assert.deepEqual([path.status, path.stdout], [0, second.stdout]);
    const plain = await kernelcov(workshop, "kernel", "path");
    assert.equal(plain.stdout, embedded.stdout);
    const made = calls().filter((call) => call.startsWith("make ")).length;
    const again = await kernelcov(workshop, "kernel", "build", "--config", "dm.config");
    assert.deepEqual([again.status, again.stdout, again.stderr], [0, second.stdout, ""]);
    assert.equal(calls().filter((call) => call.startsWith("make ")).length, made);
  }));

test("a named kernel has the drivers that the embedded one leaves out", () =>
  inWorkshop(PROGRAMS, async (workshop) => {
    writeFileSync(join(workshop.folder, "dm.config"), "CONFIG_MD=y\n");
    await kernelcov(workshop, "kernel", "build");
    await kernelcov(workshop, "kernel", "build", "--config", "dm.config");
    const [first, second] = workshop.calls().filter((call) => call.startsWith("tar "));
    assert.match(first!, /drivers\/md\//);
    assert.doesNotMatch(second!, /drivers\/md\//);
  }));

test("the list says which name stands for a kernel; prune leaves those, and removes one by its name", () =>
  inWorkshop(PROGRAMS, async (workshop) => {
    const { folder } = workshop;
    for (const [file, text] of [["a.config", "CONFIG_A=y\n"], ["b.config", "CONFIG_A=y\n"]]) {
      writeFileSync(join(folder, file!), text!);
    }
    await kernelcov(workshop, "kernel", "build");
    await kernelcov(workshop, "kernel", "build", "--config", "a.config");
    // The same options are the same kernel, under two names.
    await kernelcov(workshop, "kernel", "build", "--config", "b.config");
    assert.deepEqual((await list(workshop)).map(({ kernels }) => kernels).sort(), [
      ["a", "b"],
      ["embedded"],
    ]);
    // A name that is given again leaves its old kernel to prune.
    writeFileSync(join(folder, "c.config"), "CONFIG_C=y\n");
    for (const name of ["a", "b"]) {
      const build = ["kernel", "build", "--config", "c.config", "--name", name];
      assert.equal((await kernelcov(workshop, ...build)).status, 0);
    }
    assert.deepEqual((await list(workshop)).map(({ state }) => state).sort(), [
      "in use: --kernel a or b",
      "in use: --kernel embedded",
      "of another source, configuration or compiler",
    ]);
    assert.match(
      (await kernelcov(workshop, "kernel", "prune")).stdout,
      /^Removed \S+ \(\d+ MB\)\n$/,
    );
    assert.equal((await list(workshop)).length, 2);
    assert.equal((await kernelcov(workshop, "kernel", "prune")).stdout, "");

    assert.equal((await kernelcov(workshop, "kernel", "prune", "a")).stdout, "");
    assert.match((await kernelcov(workshop, "kernel", "prune", "b")).stdout, /^Removed /);
    assert.deepEqual((await list(workshop)).map(({ kernels }) => kernels), [["embedded"]]);
    const gone = await kernelcov(workshop, "kernel", "prune", "b");
    assert.deepEqual([gone.status, gone.stdout], [2, ""]);
    assert.match(gone.stderr, /There is no kernel named b/);
  }));

test("an option of the fragment that the kernel drops is named, and no half-made tree is left", () =>
  inWorkshop({
    ...PROGRAMS,
    make: 'grep -v "CONFIG_MD=\\|CONFIG_EXT4_FS=" "$KCONFIG_ALLCONFIG" >.config',
  }, async (workshop) => {
    const { folder, kernels } = workshop;
    writeFileSync(join(folder, "dm.config"), "CONFIG_MD=y\nCONFIG_DM=y\n");
    const build = await kernelcov(workshop, "kernel", "build", "--config", "dm.config");
    assert.equal(build.status, 3);
    assert.match(build.stderr, /does not accept CONFIG_MD=y: add the options that these depend on/);
    assert.doesNotMatch(build.stderr, /CONFIG_DM=y/);
    // The embedded kernel's own options are not lost in silence either.
    assert.match(build.stderr, /the kernel has no CONFIG_EXT4_FS=y: add "# CONFIG_… is not set"/);
    assert.ok(!existsSync(join(kernels, readdirSync(kernels)[0]!, "source")));
    const path = await kernelcov(workshop, "kernel", "path", "--kernel", "dm");
    assert.match(path.stderr, /Unknown kernel "dm"/);
  }));

test("names and fragments that cannot be used are one line and status 2", () =>
  inWorkshop(PROGRAMS, async (workshop) => {
    const { folder } = workshop;
    writeFileSync(join(folder, "host.config"), "CONFIG_A=y\n");
    writeFileSync(join(folder, "bad.config"), "CONFIG_A=y\nA=y\n");
    writeFileSync(join(folder, "empty.config"), "# nothing\n");
    mkdirSync(join(folder, "tree"));
    const cases: [string[], RegExp][] = [
      [["build", "--config", "host.config"], /cannot be named "host"/],
      [["build", "--config", "bad.config"], /bad\.config:2: "A=y" is not an option/],
      [["build", "--config", "empty.config"], /There is no option in empty\.config/],
      [["build", "--config", "host.config", "--name", "a/b"], /"a\/b" is not a name for a kernel/],
      [["build", "--name", "a"], /add --config/],
      [["path", "--kernel", "tree"], /Unknown kernel "tree": use embedded\n/],
      [["run", "--kernel", "host", "--", "true"], /"host": use embedded or a path with a slash\n/],
      [["run", "--kernel", "tree", "--", "true"], /Unknown kernel "tree"/],
    ];
    for (const [args, message] of cases) {
      const run = await kernelcov(workshop, "kernel", ...args);
      assert.equal(run.status, 2, run.stderr);
      assert.match(run.stderr, message);
      assert.match(run.stderr, /^kernelcov: [^\n]*\nUsage: [^\n]*\n$/);
    }
    const missing = await kernelcov(workshop, "kernel", "build", "--config", "none.config");
    assert.deepEqual([missing.status, missing.stdout], [1, ""]);
    assert.match(missing.stderr, /^kernelcov: Cannot read none\.config: [^\n]*\n$/);
    assert.ok(!existsSync(workshop.kernels));
  }));
