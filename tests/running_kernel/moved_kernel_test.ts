import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { type Address, parseAddress } from "../../src/base/address.ts";
import { kernelOffset } from "../../src/kernel/kernel_offset.ts";
import { ModulePlaces } from "../../src/kernel/module_places.ts";
import { readRun } from "../../src/record/read_run.ts";
import { openRun } from "../../src/record/run_writer.ts";
import { FIRST_MODULE_ADDRESS } from "../../src/record/run_modules.ts";
import { testRecord } from "../_support/test_records.ts";

/** What a kernel that was moved, with modules, told in a virtual machine. */
interface Facts {
  readonly linkedStext: string;
  readonly stext: string;
  readonly modules: string;
  readonly vmallocinfo: string;
  readonly kcore: string;
  readonly loaded: Record<
    string,
    { sections: Record<string, string>; note: string; buildId: string }
  >;
  readonly kernelPcs: readonly string[];
  /** Raw PCs, and the function that each is in by the module's own symbol table: its offset in `.text`, its size. */
  readonly modulePcs: readonly {
    pc: string;
    module: string;
    function: string;
    offset: number;
    size: number;
  }[];
}

const facts = JSON.parse(
  readFileSync(new URL("../data/moved_kernel/facts.json", import.meta.url), "utf8"),
) as Facts;
const folder = mkdtempSync(join(tmpdir(), "kernelcov-moved-"));
const root = join(folder, "root");
after(() => rmSync(folder, { recursive: true }));

function write(path: string, content: string | Uint8Array): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

write("proc/modules", facts.modules);
write("proc/vmallocinfo", facts.vmallocinfo);
write("proc/kcore", Buffer.from(facts.kcore, "base64"));
for (const [name, { sections, note }] of Object.entries(facts.loaded)) {
  for (const [section, address] of Object.entries(sections)) {
    write(`sys/module/${name}/sections/${section}`, `${address}\n`);
  }
  write(`sys/module/${name}/notes/.note.gnu.build-id`, Buffer.from(note, "base64"));
}

function address(text: string): Address {
  const value = parseAddress(text);
  assert.ok(value !== undefined, text);
  return value;
}

const offset = address(facts.stext) - address(facts.linkedStext);

function recorded(): Float64Array<ArrayBuffer> {
  const all = [...facts.kernelPcs, ...facts.modulePcs.map(({ pc }) => pc)];
  return Float64Array.from(all, address).sort();
}

test("a real kernel's offset is that of its first symbol", () => {
  assert.ok(offset > 0);
  assert.equal(kernelOffset(root), offset);
});

test("each PC that a real kernel recorded in a module lies in the function that the module's file has there", () => {
  const places = new ModulePlaces(root);
  const record = testRecord({ pcs: recorded(), hits: null });
  const placed = places.place(record);
  assert.equal(placed.pcs.length, record.pcs.length);
  for (const { name, buildId } of places.modules) {
    assert.equal(buildId, facts.loaded[name].buildId, name);
  }
  const kernel = placed.pcs.filter((pc) => pc < FIRST_MODULE_ADDRESS);
  assert.deepEqual([...kernel], facts.kernelPcs.map(address).sort((a, b) => a - b));
  const wrong = facts.modulePcs.filter(({ module, offset, size }) => {
    const sections = places.modules.find(({ name }) => name === module)?.sections ?? [];
    const start = sections.find(({ name }) => name === ".text")?.address ?? NaN;
    // Each function is in the facts once, so one PC at least has to be in it.
    return !placed.pcs.some((pc) => pc > start + offset && pc <= start + offset + size);
  });
  assert.deepEqual(wrong, []);
  assert.ok(facts.modulePcs.length > 80 && facts.kernelPcs.length > 10);
});

test("its record file tells neither the offset nor where modules lay", () => {
  const run = join(folder, "run");
  {
    using writer = openRun(run, {
      kernel: { buildId: "ab12", release: "6.12.117", machine: "x86_64" },
      modules: new ModulePlaces(root),
    });
    writer.append(testRecord({ pcs: recorded(), hits: null }));
  }
  const text = readFileSync(join(run, readdirSync(run)[0]), "utf8");
  const secrets = [
    offset,
    ...Object.values(facts.loaded).flatMap(({ sections }) =>
      Object.values(sections).flatMap((at) => [address(at), address(at) - offset])
    ),
  ];
  for (const secret of secrets) assert.ok(!text.includes(`${secret}`), `${secret}`);
  const [{ pcs }] = readRun(run).records;
  const highest = address(facts.kernelPcs.reduce((a, b) => address(a) > address(b) ? a : b));
  for (const pc of pcs) assert.ok(pc <= highest || pc >= FIRST_MODULE_ADDRESS);
});
