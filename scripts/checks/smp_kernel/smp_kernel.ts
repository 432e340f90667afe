/**
 * Runs the C programs of tests/kernel/collectors on an x86-64 kernel with two processors and preemption, emulated by QEMU,
 * and fails where one of them or the kernel complains. Builds the kernel first, from the patched source and the `config`
 * beside this file: some ten CPU minutes. The rest takes some ten minutes.
 *
 *   apt-get install -y --no-install-recommends qemu-system-x86 libelf-dev busybox-static
 *   npm run check:smp [-- PROGRAM CASE…]            this case instead of all
 */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { cacheFolder, recipeHash } from "../../../src/build/kernel_folder.ts";
import { droppedOptions, parseKernelOptions } from "../../../src/build/kernel_options.ts";
import { unpackSource } from "../../../src/build/kernel_source.ts";
import { KcovUnavailableError } from "../../../src/errors.ts";
import { kernelComplaints } from "../kernel_complaints.ts";

/** Those with cases, and that with rows. */
const CASES = ["collector_cases", "collector_roles", "collector_stress"];
const ROWS = "collector_causes";
/** Rows that need tools or drivers which the emulated machine has not. */
const NOT_THERE = ["veth", "bridge", "qdisc", "vsock", "kunit"];
const LIMIT_SECONDS = 5400;

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** Runs a command and returns what it prints. */
function run(command: string, args: readonly string[], cwd: string, env = {}): string {
  const { ARCH: _1, CROSS_COMPILE: _2, MAKEFLAGS: _3, ...inherited } = process.env;
  const done = spawnSync(command, args, {
    cwd,
    env: { ...inherited, LC_ALL: "C", ...env },
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  if (done.status === 0) return done.stdout;
  const last = `${done.stderr ?? done.error}`.trim().split("\n").slice(-8).join("\n");
  throw new KcovUnavailableError(
    "not-built-in",
    `${command} ${args.join(" ")} failed: see its errors\n${last}`,
  );
}

/** The kernel, built where it is not there; a build that was interrupted goes on where it ended. */
async function builtKernel(): Promise<{ image: string; source: string }> {
  const config = here("config");
  const folder = join(cacheFolder(), "smp_kernel", recipeHash(readFileSync(config, "utf8")));
  const source = join(folder, "source"), image = join(folder, "bzImage");
  if (existsSync(image)) return { image, source };
  mkdirSync(folder, { recursive: true });
  if (!existsSync(source)) await unpackSource(source, { allDrivers: true });
  console.log(`Building the kernel in ${folder}`);
  const hasCcache = spawnSync("ccache", ["--version"]).status === 0;
  const options = ["-s", "ARCH=x86_64", `-j${availableParallelism() + 1}`].concat(
    hasCcache ? ["CC=ccache gcc", "HOSTCC=ccache gcc"] : [],
  );
  run("make", [...options, "allnoconfig"], source, { KCONFIG_ALLCONFIG: config });
  const dropped = droppedOptions(
    parseKernelOptions(readFileSync(config, "utf8"), config),
    parseKernelOptions(readFileSync(join(source, ".config"), "utf8"), ".config"),
  );
  if (dropped.length > 0) {
    throw new KcovUnavailableError(
      "not-built-in",
      `Kconfig dropped options: mend ${config}\n${dropped.join("\n")}`,
    );
  }
  run("make", [...options, "bzImage"], source);
  copyFileSync(join(source, "arch/x86/boot/bzImage"), image);
  return { image, source };
}

/** An initial file system with the programs and what they need. */
function initialFiles(work: string, source: string, commands: readonly string[]): string {
  const files: string[] = [];
  for (const folder of ["bin", "dev", "proc", "sys", "tmp", "etc"]) {
    files.push(`dir /${folder} 755 0 0`);
  }
  for (const name of [...CASES, ROWS]) {
    const options = ["-O2", "-static", "-Wno-unused-result", "-pthread", "-o", join(work, name)];
    const program = here(`../../../tests/kernel/collectors/${name}.c`);
    run("gcc", [...options, program, "-lutil"], work);
    files.push(`file /bin/${name} ${join(work, name)} 755 0 0`);
  }
  writeFileSync(join(work, "programs"), commands.map((command) => `${command}\n`).join(""));
  run("truncate", ["-s", "16M", join(work, "image.ext4")], work);
  const mkfs = ["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", "image.ext4"];
  run("/usr/sbin/mkfs.ext4", mkfs, work);
  files.push(
    "file /bin/busybox /bin/busybox 755 0 0",
    "slink /bin/sh busybox 777 0 0",
    "nod /dev/console 600 0 0 c 5 1",
    `file /init ${here("init")} 755 0 0`,
    `file /programs ${join(work, "programs")} 644 0 0`,
    `file /image.ext4 ${join(work, "image.ext4")} 644 0 0`,
  );
  writeFileSync(join(work, "list"), `${files.join("\n")}\n`);
  // The archive goes to a file: it is bytes, no text.
  const archive = join(work, "initrd");
  run("sh", ["-c", '"$0" list >"$1"', join(source, "usr/gen_init_cpio"), archive], work);
  return archive;
}

/** The lines of a table in a source of the tests that begin with a name, with that name. */
function tableOf(file: string, row: RegExp): RegExpMatchArray[] {
  return [...readFileSync(here(`../../../tests/kernel/collectors/${file}`), "utf8").matchAll(row)];
}

function commandsToRun(): string[] {
  const asked = process.argv.slice(2);
  if (asked.length > 0) return [asked.join(" ")];
  const cases = CASES.flatMap((program) =>
    tableOf(`${program}.c`, /\{ "(\w+)", \1\b.*?\}/g).map(([, name]) => `${program} ${name}`)
  );
  const rows = tableOf("cause_rows.h", /^\t\{ "(\w+)",[^]*?^\t\}(.*)\},$/gm)
    .filter(([, name]) => !NOT_THERE.includes(name));
  return [
    ...cases,
    ...rows.flatMap(([, name, rest]) =>
      ["beside"].concat(
        rest.includes(".late") ? ["next", "renewed"] : [],
        rest.includes(".each") ? ["each"] : [],
      ).map((mode) => `${ROWS} ${name} ${mode}`)
    ),
  ];
}

const work = mkdtempSync(join(tmpdir(), "kernelcov-smp-"));
try {
  const { image, source } = await builtKernel();
  const commands = commandsToRun();
  const archive = initialFiles(work, source, commands);
  const start = performance.now();
  const { stdout } = spawnSync("qemu-system-x86_64", [
    ...["-accel", "tcg,thread=multi", "-smp", "2,sockets=2,cores=1", "-m", "1024"],
    ...["-nographic", "-no-reboot", "-nic", "none", "-kernel", image, "-initrd", archive],
    ...["-append", "console=ttyS0 panic=-1 oops=panic printk.time=1"],
  ], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    timeout: LIMIT_SECONDS * 1000,
    maxBuffer: 1 << 28,
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const log = join(tmpdir(), "kernelcov-smp.log");
  writeFileSync(log, stdout);
  const found = kernelComplaints(stdout);
  const passed = commands.filter((command) => stdout.includes(`${command}: status 0`));
  for (const line of stdout.split(/\r?\n/)) {
    if (/^not ok: |: status [1-9]/.test(line)) console.log(line);
  }
  for (const text of found) console.log(`\n${text}`);
  const two = /^processors: 2\r?$/m.test(stdout);
  if (!two) console.log("The machine did not come up with two processors");
  console.log(
    `${passed.length} of ${commands.length} passed, ${found.length} complaints of the kernel's, ${seconds} s; all it printed: ${log}`,
  );
  process.exitCode = two && passed.length === commands.length && found.length === 0 ? 0 : 1;
} finally {
  rmSync(work, { recursive: true });
}
