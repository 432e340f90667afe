import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { formatAddress } from "../../src/base/address.ts";
import { elfFileOf } from "../../src/elf/elf_file.ts";
import { ModuleMap } from "../../src/kernel/module_map.ts";
import { findModuleImage } from "../../src/kernel/image/find_module_image.ts";
import { kallsymsAddress, parseKallsyms } from "../../src/kernel/kallsyms.ts";
import { KernelSymbolizer } from "../../src/symbolize/lookup/kernel_symbolizer.ts";
import { OpenImage } from "../../src/kernel/image/open_image.ts";
import { runningKernel } from "../../src/kernel/running_kernel.ts";
import { kaslrOffset, runningKernelParts } from "../../src/kernel/running_kernel_parts.ts";
import { buildElf, codeSection } from "../_support/images/elf_builder.ts";
import { MadeUpMachine } from "../_support/made_up_machine.ts";
import { SmallImage } from "../_support/images/small_image.ts";

const folder = mkdtempSync(join(tmpdir(), "kernelcov-running-"));
const image = new SmallImage();
after(() => {
  rmSync(folder, { recursive: true });
  image[Symbol.dispose]();
});

const STEXT = -0x7f00_0000; // 0xffffffff81000000
const KASLR = 0x1a40_0000;
const RELEASE = "6.12.0-test";

const kernelElf = elfFileOf(buildElf({
  sections: [codeSection(".text", STEXT, new Uint8Array(16))],
  symbols: [{ name: "_stext", section: ".text", value: STEXT }],
}));

function write(path: string, content: string | Uint8Array): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const AREA = -0x3fe0_0000;

/** A made-up machine with a kernel that was moved and a module of the given build id. */
function machine(offset: number | undefined, stext: string, buildId = ""): MadeUpMachine {
  const made = new MadeUpMachine(offset);
  made.load([{ name: "small", buildId, sections: { ".text": AREA + 0x1000 } }]);
  made.write(
    "proc/kallsyms",
    `${"0".repeat(16)} A fixed_percpu_data\n${stext} T _text\n${stext} T _stext\n` +
      `${formatAddress(AREA + 0x1000).slice(2)} t depth\t[small]\n`,
  );
  return made;
}

const MOVED = formatAddress(STEXT + KASLR).slice(2);

/** A module made of a C file, as `ld -r` leaves it: not linked. */
function buildModule(path: string): void {
  const source = write(
    join(folder, "small.c"),
    `int depth(int n)
{
	return n > 2 ? depth(n - 1) + 1 : 0;
}
`,
  );
  const options = [
    "-g",
    "-O1",
    "-fno-pie",
    "-fcf-protection=none",
    "-fsanitize-coverage=trace-pc",
    "-c",
  ];
  execFileSync("gcc", [...options, source, "-o", `${path}.o`]);
  execFileSync("ld", ["-r", "--build-id=sha1", `${path}.o`, "-o", path]);
}

test("the kernel's offset is what its symbols and its image differ by; hidden, it is unknown", () => {
  using moved = machine(undefined, MOVED);
  assert.equal(kaslrOffset(kernelElf, moved.root), KASLR);
  using hidden = machine(undefined, "0".repeat(16));
  assert.equal(kaslrOffset(kernelElf, hidden.root), undefined);
  assert.equal(kaslrOffset(kernelElf, join(folder, "nowhere")), undefined);
});

test("modules are placed as raw PCs have them, by /proc/kcore or by the image and the symbols", () => {
  for (const offset of [KASLR, undefined]) {
    using made = machine(offset, MOVED);
    const { modules } = runningKernelParts(kernelElf, { root: made.root });
    const code = modules?.find(AREA + 0x1005 - KASLR);
    assert.deepEqual([code?.module.name, code?.section.name], ["small", ".text"]);
    assert.equal(code?.section.start, AREA + 0x1000 - KASLR);
    assert.equal(modules?.find(AREA + 0x1005), undefined);
  }
});

test("hidden addresses give no module a place, and no symbols", () => {
  using made = machine(undefined, "0".repeat(16));
  const { modules, kallsyms } = runningKernelParts(kernelElf, { root: made.root });
  assert.equal(kallsyms, undefined);
  assert.match(modules?.modules[0]?.hidden ?? "", /CONFIG_PROC_KCORE/);
});

test("without any image, the running kernel's symbols name functions", async () => {
  using made = machine(KASLR, MOVED);
  using symbolizer = new KernelSymbolizer(
    undefined,
    runningKernelParts(undefined, { root: made.root, release: RELEASE, folders: [] }),
  );
  const pcs = [STEXT + 0x25, AREA + 0x1015 - KASLR, AREA + 0x800_0000 - KASLR, STEXT - 0x1000];
  const symbolized = await symbolizer.symbolize(pcs);
  assert.deepEqual(pcs.map((_, at) => symbolized.frames(at)?.map(({ symbol }) => symbol)), [
    ["_text"],
    ["depth"],
    undefined,
    undefined,
  ]);
  assert.match(symbolizer.missing.get("small") ?? "", /no small\.ko/);
});

test("kallsyms are read in order of addresses, code only, and hidden ones recognised", () => {
  const text =
    "ffffffff81000200 t b\nffffffff81000100 T a\nffffffff81000100 T alias\nffffffff82000000 D data\n" +
    "ffffffffc0000000 t c.isra.0\t[m]\nbroken\n";
  const kallsyms = parseKallsyms(text);
  assert.deepEqual(kallsyms.name, ["a", "b", "c.isra.0"]);
  assert.equal(formatAddress(kallsyms.address[1]), "0xffffffff81000200");
  assert.equal(kallsymsAddress(text, "alias"), kallsyms.address[0]);
  assert.equal(kallsymsAddress(text, "missing"), undefined);
  assert.equal(parseKallsyms("0000000000000000 T a\n").isHidden, true);
});

test("mapping symbols of modules, which kernels of arm64 and riscv64 list, are no functions", () => {
  const marks = ["$x", "$d", "$x.3", "$xrv64i2p1", ".L0", ".Ltmp7"];
  const lines = marks.map((name, at) =>
    `ffff80007a00${at}000 t ${name}\t[ext]\nffff80007a00${at}000 t f${at}\t[ext]\n` +
    `ffff80007a00${at}800 t ${name}\t[ext]\n`
  );
  assert.deepEqual(parseKallsyms(lines.join("")).name, marks.map((_, at) => `f${at}`));
});

test("a module's file is found by name and build id, also compressed", () => {
  const path = join(folder, "small.ko");
  buildModule(path);
  using opened = new OpenImage(path);
  const module = { name: "my_small", buildId: opened.elf.buildId };
  for (
    const [suffix, compress] of [["", (b: Uint8Array) => b], [".zst", zstdCompressSync], [
      ".gz",
      gzipSync,
    ]] as const
  ) {
    // Lists of folders are kept, so each is another machine.
    const root = join(folder, `lib-root${suffix}`);
    const lib = join(root, "lib/modules", RELEASE);
    write(
      join(lib, "modules.dep"),
      `kernel/other.ko:\nkernel/fs/my-small.ko${suffix}: kernel/other.ko\n`,
    );
    const file = write(join(lib, `kernel/fs/my-small.ko${suffix}`), compress(readFileSync(path)));
    const query = { release: RELEASE, root, folders: [] };
    assert.deepEqual(findModuleImage(module, query), { path: file });
    const other = findModuleImage({ ...module, buildId: "00ff" }, query);
    assert.match("missing" in other ? other.missing : "", /has build id \w+, the module that/);
    using found = new OpenImage(file);
    assert.equal(found.elf.isModule, true);
  }
  const missing = findModuleImage(module, {
    release: RELEASE,
    root: join(folder, "no"),
    folders: [],
  });
  assert.match("missing" in missing ? missing.missing : "", /no my_small\.ko .*KERNELCOV_MODULES/);
});

test("a module's file is found in a named folder: of a build, or with modules somewhere in it", () => {
  const build = join(folder, "build"), plain = join(folder, "plain");
  const file = join(build, "drivers/net/fast-one.ko"), other = join(plain, "deep/down/fast_one.ko");
  write(join(build, "modules.order"), "drivers/net/fast-one.o\n");
  for (const path of [file, other]) {
    mkdirSync(dirname(path), { recursive: true });
    buildModule(path);
  }
  write(join(plain, "empty/fast_one.ko"), "no module");
  const query = { release: RELEASE, root: join(folder, "no") };
  const module = { name: "fast_one", buildId: "" };
  assert.deepEqual(findModuleImage(module, { ...query, folders: [build] }), { path: file });
  assert.deepEqual(findModuleImage(module, { ...query, folders: [plain, build] }), { path: other });
});

test("a file with debug information and no code is not taken for a module", () => {
  const path = write(join(folder, "debug/stripped.ko"), "");
  buildModule(path);
  execFileSync("objcopy", ["--only-keep-debug", path]);
  const found = findModuleImage({ name: "stripped", buildId: "" }, {
    release: RELEASE,
    root: join(folder, "no"),
    folders: [dirname(path)],
  });
  assert.match("missing" in found ? found.missing : "", /no code$/);
});

test("PCs of the kernel, of a module, of a module without a file and of nothing are told apart", async () => {
  const path = join(folder, "second.ko");
  buildModule(path);
  const points = await (async () => {
    using symbolizer = new KernelSymbolizer(path, { cacheFolder: null });
    return (await symbolizer.kernel?.index())?.pointOffset ?? [];
  })();
  const start = -0x3fdf_e000;
  const modules = new ModuleMap(["second", "lost"].map((name, at) => ({
    name,
    buildId: "",
    instance: at,
    sections: [{ name: ".text", start: start + at * 8192, limit: start + at * 8192 + 4096 }],
  })));
  const pcs = [
    ...image.pcsOf("pipe_write"),
    ...Array.from(points, (offset) => start + offset + 5),
    start + 8200,
    start + 0x10_0000,
    start - 0x10_0000,
  ];
  using symbolizer = new KernelSymbolizer(image.path, {
    cacheFolder: null,
    modules,
    moduleImage: ({ name }) => name === "second" ? { path } : { missing: "no file" },
    kallsyms: () => ({
      symbols: parseKallsyms(
        `${formatAddress(start + 0xf_0000 + KASLR).slice(2)} t bpf_prog_1\t[bpf]\n`,
      ),
      offset: KASLR,
    }),
  });
  const symbolized = await symbolizer.symbolize(pcs);
  const outermost = pcs.map((_, at) => symbolized.frames(at)?.at(-1));
  const kernelPoints = image.pcsOf("pipe_write").length;
  for (let at = 0; at < kernelPoints; at++) assert.equal(outermost[at]?.function, "pipe_write");
  for (let at = kernelPoints; at < pcs.length - 3; at++) {
    assert.equal(outermost[at]?.function, "depth");
    assert.equal(outermost[at]?.path, join(folder, "small.c"));
  }
  assert.deepEqual(symbolized.reason(pcs.length - 3), "module-unknown");
  assert.deepEqual(symbolized.frames(pcs.length - 2)?.map(({ symbol, line }) => [symbol, line]), [[
    "bpf_prog_1",
    0,
  ]]);
  assert.deepEqual(symbolized.reason(pcs.length - 1), "outside-image");
  assert.deepEqual([...symbolizer.missing], [["lost", "no file"]]);
  const behind = await symbolizer.symbolize([start + 4000]);
  assert.equal(behind.reason(0), "outside-image", "within the module's memory, behind its code");
});

test("an image that is compressed with xz says how to expand it", () => {
  const path = join(folder, "vmlinux.xz");
  copyFileSync(image.path, path);
  assert.throws(() => new OpenImage(path), /xz -dk/);
});

test("runningKernel() names this kernel", () => {
  const { release, machine } = runningKernel();
  assert.match(release, /^\d+\.\d+/);
  assert.match(machine, /^(x86_64|aarch64)$/);
});
