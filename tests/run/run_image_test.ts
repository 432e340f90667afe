import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { formatAddress } from "../../src/base/address.ts";
import { ModulePlaces } from "../../src/kernel/module_places.ts";
import { openRun } from "../../src/record/run_writer.ts";
import { totalsText } from "../../src/report/text_table.ts";
import { unresolvedTotal } from "../../src/coverage/point_hits.ts";
import { loadImageIndexSync } from "../../src/symbolize/index/load_index.ts";
import { OpenImage } from "../../src/kernel/image/open_image.ts";
import { loadRun, type LoadRunOptions, loadRuns } from "../../src/run/load_run.ts";
import { writeLcovFiles } from "../../src/run/write_report.ts";
import { MadeUpMachine } from "../_support/made_up_machine.ts";
import { SmallImage } from "../_support/images/small_image.ts";

const SOURCE = `int other(int);
int ext_read(int n)
{
	if (n > 2)
		return other(n - 1) + 1;
	return 0;
}
int __attribute__((section(".exit.text"))) ext_exit(int n)
{
	return other(n) + 2;
}
`;
const AREA = -0x4000_0000;

const image = new SmallImage();
const CACHE = join(image.folder, "cache");
const cacheHome = process.env["XDG_CACHE_HOME"];
process.env["XDG_CACHE_HOME"] = CACHE;
after(() => {
  image[Symbol.dispose]();
  // Deno runs the other files in this process.
  if (cacheHome === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = cacheHome;
});
const modules = join(image.folder, "modules");
const path = join(modules, "ext.ko");
{
  for (const folder of [modules, join(image.folder, "fs/ext")]) {
    mkdirSync(folder, { recursive: true });
  }
  writeFileSync(join(image.folder, "fs/ext/read.c"), SOURCE);
  const run = { cwd: image.folder };
  const options = ["-g", "-O1", "-fno-pie", "-fcf-protection=none", "-fsanitize-coverage=trace-pc"];
  execFileSync("gcc", [...options, "-c", "fs/ext/read.c", "-o", "read.o"], run);
  execFileSync("ld", ["-r", "--build-id=sha1", "read.o", "-o", path], run);
}
using opened = new OpenImage(path);
const { buildId } = opened.elf;
const index = loadImageIndexSync(path, { cacheFolder: null });
const exitText = opened.elf.section(".exit.text")?.address ?? NaN;
const kernelPcs = image.pcsOf("pipe_write");
const options: LoadRunOptions = { vmlinux: image.path, modules: [modules] };

/** Records a test that hits part of the kernel, all of the module, and a module of which there is no image. */
function recordBoot(name: string, offset: number, place: number, withLost: boolean): string {
  const text = AREA + place, exit = text + 0x1000, lost = text + 0x10_0000;
  using machine = new MadeUpMachine(offset);
  machine.load([
    ...withLost ? [{ name: "lost", buildId: "aa".repeat(20), sections: { ".text": lost } }] : [],
    { name: "ext", buildId, codeSize: 0x2000, sections: { ".text": text, ".exit.text": exit } },
  ]);
  const calls = Array.from(
    index.allPointOffsets,
    (at) => at < exitText ? text + at : exit + at - exitText,
  );
  const raw = [
    ...kernelPcs,
    ...[...calls.map((call) => call + 5), ...withLost ? [lost + 5, lost + 9] : []]
      .map((address) => address - offset),
    // Behind the end of the module's code, in the same page.
    text + 0x800 - offset,
  ];
  const directory = join(image.folder, name);
  using writer = openRun(directory, {
    kernel: { buildId: image.index.buildId, release: "6.12.0", machine: "x86_64" },
    modules: new ModulePlaces(machine.root),
  });
  writer.append(image.record("a test", raw));
  return directory;
}

const first = recordBoot("first", 0x1a40_0000, 0x20_1000, true);
const second = recordBoot("second", 0x0320_0000, 0x7_3000, false);

test("a module's points are in the universe and covered, its other code is told apart", () => {
  const { coverage } = loadRun(first, options);
  const [{ points }] = coverage.tests;
  assert.equal(points.points.length, kernelPcs.length + index.pointOffset.length);
  assert.deepEqual(
    coverage.modules.map(({ name, hit, points, lost }) => [name, hit, points, lost]),
    [
      ["ext", index.pointOffset.length, index.pointOffset.length, 0],
      ["lost", 0, 0, 2],
    ],
  );
  assert.equal(
    points.unresolved["start-up"],
    index.allPointOffsets.length - index.pointOffset.length,
  );
  assert.ok(points.unresolved["start-up"] > 0, "the exit function is no part of the universe");
  assert.equal(points.unresolved["module-image"], 2);
  assert.equal(points.unresolved["outside-image"], 1);
  assert.equal(
    points.points.length + unresolvedTotal(points.unresolved),
    kernelPcs.length + index.allPointOffsets.length + 3,
  );
  const { lineFile, lineNumber, files } = coverage.universe.image;
  const lines = [...coverage.linesOf(0).lines].filter((line) =>
    files[lineFile[line]!] === "fs/ext/read.c"
  ).map((line) => lineNumber[line]!);
  assert.deepEqual(lines.filter((line) => line >= 4 && line <= 6), [4, 5, 6]);
});

test("two boots that were moved differently have the same points, held against each other too", () => {
  const [a, b] = loadRuns([first, second], options);
  assert.equal(a!.coverage.universe, b!.coverage.universe);
  assert.deepEqual(a!.coverage.tests[0]!.points.points, b!.coverage.tests[0]!.points.points);
  assert.deepEqual(a!.coverage.tests[0]!.points.hits, b!.coverage.tests[0]!.points.hits);
});

test("a module without an image is named in the totals with the reason", () => {
  const { coverage } = loadRun(first, options);
  const text = totalsText(coverage);
  assert.match(text, /no image: module lost \(2 PCs\) is not counted: there is no lost\.ko in /);
  assert.match(text, /1 module counted with the kernel; hit: ext \d+ of \d+ points/);
  rmSync(CACHE, { recursive: true, force: true });
  const none = loadRun(second, { vmlinux: image.path, modules: [join(image.folder, "empty")] });
  assert.equal(none.coverage.modules[0]?.lost, index.allPointOffsets.length + 1);
  assert.equal(
    none.coverage.universe.counts.points,
    image.index.pointOffset.length -
      image.index.pointUnknown.reduce((sum, unknown) => sum + unknown, 0),
  );
});

test("a module whose file is gone is counted by its index", () => {
  rmSync(CACHE, { recursive: true, force: true });
  const { coverage: before } = loadRun(first, options);
  const gone = { vmlinux: image.path, modules: [join(image.folder, "empty")] };
  const { coverage } = loadRun(first, gone);
  assert.deepEqual(coverage.modules.map(({ name, hit }) => [name, hit]), [
    ["ext", index.pointOffset.length],
    ["lost", 0],
  ]);
  assert.deepEqual(coverage.tests[0]!.points.points, before.tests[0]!.points.points);
  assert.deepEqual(coverage.totals, before.totals);
});

test("reports tell neither the kernel's offset nor where a module lay", () => {
  const directory = join(image.folder, "report");
  mkdirSync(directory);
  const written = writeLcovFiles(loadRun(first, options), directory);
  const text = written.map(({ path }) => readFileSync(path, "utf8")).join("");
  assert.match(text, /^SF:.*fs\/ext\/read\.c$/m);
  for (const secret of [0x1a40_0000, AREA + 0x20_1000, AREA + 0x20_1000 - 0x1a40_0000]) {
    for (const form of [`${secret}`, formatAddress(secret), formatAddress(secret).slice(2)]) {
      assert.ok(!text.includes(form), form);
    }
  }
});
