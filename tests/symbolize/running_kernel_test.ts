import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { formatAddress } from "../../src/base/address.ts";
import { elfFileOf } from "../../src/elf/elf_file.ts";
import { findModuleImage } from "../../src/symbolize/find_module_image.ts";
import { kallsymsAddress, parseKallsyms } from "../../src/symbolize/kallsyms.ts";
import { KernelSymbolizer } from "../../src/symbolize/kernel_symbolizer.ts";
import {
  type LoadedModule,
  mergeModules,
  moduleOfPc,
  parseProcModules,
} from "../../src/symbolize/loaded_modules.ts";
import { OpenImage } from "../../src/symbolize/open_image.ts";
import { readLoadedModules } from "../../src/symbolize/read_loaded_modules.ts";
import { buildElf, codeSection } from "../_support/elf_builder.ts";
import { SmallImage } from "../_support/small_image.ts";

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

/** A made-up `/` with a moved kernel and its modules. */
function machine(name: string, stext: string, text: string): string {
  const root = join(folder, name);
  write(
    join(root, "proc/kallsyms"),
    `${"0".repeat(16)} A fixed_percpu_data\n${stext} T _text\n${stext} T _stext\n${
      stext.slice(0, -2)
    }40 t init\t[small]\n`,
  );
  write(
    join(root, "proc/modules"),
    "small 16384 1 - Live 0xffffffffc0201000 (OE)\nother 20480 0 - Live 0x0\n",
  );
  write(join(root, "sys/module/small/sections/.text"), `${text}\n`);
  return root;
}

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

test("modules are placed as raw PCs have them: with the kernel's offset taken off", () => {
  const root = machine("moved", formatAddress(STEXT + KASLR).slice(2), "0xffffffffc0202000");
  const { modules, unknown } = readLoadedModules(kernelElf, root);
  assert.deepEqual(
    modules.map(({ name, textStart, size }) => [name, formatAddress(textStart), size]),
    [
      ["small", formatAddress(-0x3fdf_e000 - KASLR), 16384],
    ],
  );
  assert.equal(unknown.length, 1);
  assert.match(unknown[0], /^other: the kernel hides its addresses/);
});

test("hidden addresses give no module a place", () => {
  const root = machine("hidden", "0".repeat(16), "0x0000000000000000");
  const { modules, unknown } = readLoadedModules(kernelElf, root);
  assert.deepEqual([modules.length, unknown.length], [0, 2]);
});

test("a kernel without modules needs no addresses", () => {
  assert.deepEqual(readLoadedModules(kernelElf, join(folder, "nowhere")), {
    modules: [],
    unknown: [],
  });
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

test("/proc/modules gives names, sizes and addresses", () => {
  const text =
    "ext4 1163264 2 - Live 0xffffffffc0a00000\njbd2 200704 1 ext4, Live 0x0000000000000000 (E)\n\n";
  const modules = parseProcModules(text);
  assert.deepEqual(modules.map(({ name, size }) => [name, size]), [["ext4", 1163264], [
    "jbd2",
    200704,
  ]]);
  assert.equal(formatAddress(modules[0].address), "0xffffffffc0a00000");
});

test("a module that was loaded again elsewhere is known at both places; a shared place is nobody's", () => {
  const at = (name: string, textStart: number): LoadedModule => ({
    name,
    textStart,
    size: 100,
    buildId: "",
  });
  const merged = mergeModules([at("a", 1000)], [at("a", 1000), at("b", 3000)], [
    at("a", 2000),
    at("c", 3050),
  ]);
  assert.deepEqual(merged.map(({ name, textStart }) => `${name} ${textStart}`), [
    "a 1000",
    "a 2000",
    "b 3000",
    "c 3050",
  ]);
  assert.equal(moduleOfPc(merged, 1099)?.name, "a");
  assert.equal(moduleOfPc(merged, 1100), undefined);
  assert.equal(moduleOfPc(merged, 3010)?.name, "b");
  assert.equal(moduleOfPc(merged, 3060), undefined);
});

test("a module's file is found by name and build id, also compressed", () => {
  const root = join(folder, "lib-root");
  const path = join(folder, "small.ko");
  buildModule(path);
  using opened = new OpenImage(path);
  const module: LoadedModule = {
    name: "my_small",
    textStart: 0,
    size: 1,
    buildId: opened.elf.buildId,
  };
  for (
    const [suffix, compress] of [["", (b: Uint8Array) => b], [".zst", zstdCompressSync], [
      ".gz",
      gzipSync,
    ]] as const
  ) {
    const lib = join(root, "lib/modules", RELEASE);
    write(
      join(lib, "modules.dep"),
      `kernel/other.ko:\nkernel/fs/my-small.ko${suffix}: kernel/other.ko\n`,
    );
    const file = write(join(lib, `kernel/fs/my-small.ko${suffix}`), compress(readFileSync(path)));
    assert.equal(findModuleImage(module, RELEASE, root), file);
    assert.equal(findModuleImage({ ...module, buildId: "00" }, RELEASE, root), undefined);
    using found = new OpenImage(file);
    assert.equal(found.elf.isModule, true);
    rmSync(file);
  }
  assert.equal(findModuleImage(module, RELEASE, root), undefined);
});

test("PCs of the kernel, of a module, of a module without a file and of nothing are told apart", async () => {
  const path = join(folder, "second.ko");
  buildModule(path);
  const points = await (async () => {
    using symbolizer = new KernelSymbolizer(path, { cacheFolder: null });
    return (await symbolizer.kernel.index()).pointOffset;
  })();
  const start = -0x3fdf_e000;
  const modules: LoadedModule[] = [
    { name: "second", textStart: start, size: 4096, buildId: "" },
    { name: "lost", textStart: start + 8192, size: 4096, buildId: "" },
  ];
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
    moduleImage: ({ name }) => name === "second" ? path : undefined,
    kallsyms: {
      symbols: parseKallsyms(
        `${formatAddress(start + 0xf_0000 + KASLR).slice(2)} t bpf_prog_1\t[bpf]\n`,
      ),
      offset: KASLR,
    },
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
});

test("an image that is compressed with xz says how to expand it", () => {
  const path = join(folder, "vmlinux.xz");
  copyFileSync(image.path, path);
  assert.throws(() => new OpenImage(path), /xz -dk/);
});
