import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { ModulePlaces } from "../../src/kernel/module_places.ts";
import { openRun } from "../../src/record/run_writer.ts";
import { unresolvedTotal } from "../../src/coverage/point_hits.ts";
import { imageSections } from "../../src/kernel/module_images.ts";
import { loadImageIndexSync } from "../../src/symbolize/index/load_index.ts";
import { framesAt } from "../../src/symbolize/lookup/point_frames.ts";
import { OpenImage } from "../../src/kernel/image/open_image.ts";
import { loadRun } from "../../src/run/load_run.ts";
import { MadeUpMachine } from "../_support/made_up_machine.ts";
import { SmallImage } from "../_support/images/small_image.ts";

/** Code that runs once comes before cold code, so that the compiler has its sections between those that count. */
const SOURCE = `int other(int);
int __attribute__((cold)) fault(int n);
int __attribute__((section(".init.text"))) ext_init(int n)
{
	return other(n) + 1;
}
int __attribute__((section(".exit.text"))) ext_exit(int n)
{
	if (n)
		other(n);
	return other(n) + 2;
}
int ext_read(int n)
{
	if (n > 2)
		return other(n - 1) + 1;
	if (n < -9)
		return fault(n);
	return 0;
}
int __attribute__((cold)) fault(int n)
{
	if (n == -3)
		other(5);
	return other(6) + 3;
}
int __attribute__((section(".ref.text"))) ext_ref(int n)
{
	return other(n) + 4;
}
`;
const COUNTED: readonly string[] = [".text", ".text.unlikely", ".ref.text"];
const OFFSET = 0x1a40_0000;
const AREA = -0x4000_0000;
/** Where the kernel put the sections: not in the order of the file. */
const PLACES: Readonly<Record<string, number>> = {
  ".text": AREA + 0x20_1000,
  ".exit.text": AREA + 0x20_1400,
  ".ref.text": AREA + 0x20_1600,
  ".text.unlikely": AREA + 0x20_1800,
  ".init.text": AREA + 0x30_0000,
};

const image = new SmallImage();
const cacheHome = process.env["XDG_CACHE_HOME"];
process.env["XDG_CACHE_HOME"] = join(image.folder, "cache");
after(() => {
  image[Symbol.dispose]();
  // Deno runs the other files in this process.
  if (cacheHome === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = cacheHome;
});
const modules = join(image.folder, "modules");
const path = join(modules, "ext.ko");
const run = { cwd: image.folder, encoding: "utf8" } as const;
{
  for (const folder of [modules, join(image.folder, "fs/ext")]) {
    mkdirSync(folder, { recursive: true });
  }
  writeFileSync(join(image.folder, "fs/ext/read.c"), SOURCE);
  const options = ["-g", "-O2", "-freorder-functions", "-fno-pie", "-fcf-protection=none"];
  const covered = [...options, "-fno-inline", "-fsanitize-coverage=trace-pc"];
  execFileSync("gcc", [...covered, "-c", "fs/ext/read.c", "-o", "read.o"], run);
  execFileSync("ld", ["-r", "--build-id=sha1", "read.o", "-o", path], run);
}
using opened = new OpenImage(path);
const { buildId } = opened.elf;
const index = loadImageIndexSync(path, { cacheFolder: null });

/** Raw PCs of the module's points by section, where it was loaded: the calls that readelf shows. */
const calls = new Map<string, number[]>();
for (const part of execFileSync("readelf", ["-rW", path], run).split("Relocation section '.rela")) {
  const name = part.slice(0, part.indexOf("'"));
  const offsets = [...part.matchAll(/^([0-9a-f]+) .* __sanitizer_cov_trace_pc - 4$/gm)];
  if (PLACES[name] === undefined) continue;
  calls.set(name, offsets.map(([, at]) => PLACES[name]! + parseInt(at!, 16) + 4 - OFFSET));
}

/** The coverage of a run with a test for each section, named by it, that hits all that it holds. */
const coverage = (() => {
  using machine = new MadeUpMachine(OFFSET);
  machine.load([{ name: "ext", buildId, codeSize: 0x2000, sections: PLACES }]);
  const directory = join(image.folder, "run");
  {
    using writer = openRun(directory, {
      kernel: { buildId: image.index.buildId, release: "6.12.0", machine: "x86_64" },
      modules: new ModulePlaces(machine.root),
    });
    for (const [name, pcs] of calls) writer.append(image.record(name, pcs));
  }
  return loadRun(directory, { vmlinux: image.path, modules: [modules] }).coverage;
})();

function linesOf(name: string): number[] {
  const { lineFile, lineNumber, files } = coverage.universe.image;
  const at = coverage.tests.findIndex(({ record }) => record.name === name);
  return [...coverage.linesOf(at).lines].filter((line) =>
    files[lineFile[line]!] === "fs/ext/read.c"
  ).map((line) => lineNumber[line]!);
}

function unresolvedOf(name: string): Record<string, number> {
  const { unresolved } = coverage.tests.find(({ record }) => record.name === name)!.points;
  return Object.fromEntries(Object.entries(unresolved).filter(([, count]) => count > 0));
}

test("the compiler made the sections that these tests are of, those that run once between others", () => {
  const names = opened.elf.sections.map(({ name }) => name).filter((name) => calls.has(name));
  assert.deepEqual(names.toSorted(), Object.keys(PLACES).toSorted());
  assert.ok(names.indexOf(".exit.text") < names.indexOf(".text.unlikely"));
  for (const [name, { length }] of calls) assert.ok(length > 0, name);
});

test("all code of a module that can run again is in the universe", () => {
  const wanted = COUNTED.reduce((sum, name) => sum + calls.get(name)!.length, 0);
  assert.equal(index.pointOffset.length, wanted);
  const [ext] = coverage.modules;
  assert.deepEqual([ext!.points, ext!.hit], [wanted, wanted]);
  const all = [...calls.values()].reduce((sum, pcs) => sum + pcs.length, 0);
  assert.equal(index.allPointOffsets.length, all);
});

for (const name of COUNTED) {
  test(`every PC in ${name} of a module is resolved`, () => {
    const { points } = coverage.tests.find(({ record }) => record.name === name)!;
    assert.equal(unresolvedTotal(points.unresolved), 0, JSON.stringify(points.unresolved));
    assert.equal(points.points.length, calls.get(name)!.length);
    assert.deepEqual([...points.hits!], calls.get(name)!.map(() => 1));
  });
}

test("code of a module that runs once is counted as unresolved, with the reason", () => {
  assert.deepEqual(unresolvedOf(".exit.text"), { "start-up": calls.get(".exit.text")!.length });
  assert.deepEqual(unresolvedOf(".init.text"), {
    "outside-image": calls.get(".init.text")!.length,
  });
  assert.deepEqual([...linesOf(".exit.text"), ...linesOf(".init.text")], []);
});

test("lines of cold code are covered by the tests that ran it, those of code that runs once in no report", () => {
  assert.deepEqual(linesOf(".text").filter((line) => line >= 15), [15, 16, 17, 19]);
  // The compiler moves the call of a cold function there too, and who runs it has entered its function.
  assert.deepEqual(linesOf(".text.unlikely"), [13, 18, 21, 23, 24, 25]);
  assert.deepEqual(linesOf(".ref.text"), [27, 29]);
  const { linePoints, image: { lineNumber, lineFile, files } } = coverage.universe;
  const inReport = [...lineNumber.keys()].filter((line) =>
    linePoints[line]! > 0 && files[lineFile[line]!] === "fs/ext/read.c"
  ).map((line) => lineNumber[line]!);
  assert.equal(Math.min(...inReport), 13);
});

test("each point of a module has the function that its section holds", () => {
  const sections = imageSections(opened.elf.sections);
  for (const [name, pcs] of calls) {
    const start = sections.get(name)!.address;
    const functions = pcs.map((pc) => {
      const offset = pc + OFFSET - PLACES[name]! + start - index.callLength;
      const frames = framesAt(index, index.allPointOffsets.indexOf(offset));
      return frames.at(-1)!.function;
    });
    const wanted: Readonly<Record<string, readonly string[]>> = {
      ".text": ["ext_read"],
      ".text.unlikely": ["ext_read", "fault"],
      ".ref.text": ["ext_ref"],
      ".exit.text": ["ext_exit"],
      ".init.text": ["ext_init"],
    };
    assert.deepEqual([...new Set(functions)].sort(), wanted[name], name);
  }
});
