import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { formatAddress } from "../../src/base/address.ts";
import { ModulePlaces } from "../../src/kernel/module_places.ts";
import { mergeRuns, readRun } from "../../src/record/read_run.ts";
import { openRun } from "../../src/record/run_writer.ts";
import { FIRST_MODULE_ADDRESS, withPcs } from "../../src/record/run_modules.ts";
import type { Run } from "../../src/record/test_record.ts";
import { MadeUpMachine } from "../_support/made_up_machine.ts";
import { originRecord } from "../_support/origin_records.ts";
import { testRecord } from "../_support/test_records.ts";

const KERNEL = { buildId: "ab12", release: "6.12.1", machine: "x86_64" };
const AREA = -0x4000_0000;

/** One boot: by how much the kernel was moved, and where its modules lie, in the order in which they were loaded. */
interface Boot {
  readonly offset: number;
  readonly modules: Readonly<Record<string, number>>;
}

/** Records a test that runs the same in every boot, as the hook does. */
function recordBoot(folder: string, { offset, modules }: Boot): void {
  using machine = new MadeUpMachine(offset);
  machine.load(
    Object.entries(modules).map(([name, text]) => ({
      name,
      sections: { ".text": text, ".exit.text": text + 0x800 },
    })),
  );
  using writer = openRun(folder, { kernel: KERNEL, modules: new ModulePlaces(machine.root) });
  const pcs = [-0x7f00_0000, ...Object.values(modules).map((text) => text + 0x15 - offset)];
  writer.append(testRecord({
    pcs: Float64Array.from(pcs).sort(),
    hits: new Uint32Array(pcs.length).fill(1),
  }));
}

const BOOTS: readonly Boot[] = [
  { offset: 0x1a40_0000, modules: { ext4: AREA + 0x20_1000, jbd2: AREA + 0x30_1000 } },
  { offset: 0x0520_0000, modules: { jbd2: AREA + 0x7_1000, ext4: AREA + 0x9_1000 } },
];

function inFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-run-"));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function named({ modules, records }: Run): string[][] {
  const sections = modules.flatMap(({ name, sections }) =>
    sections.map((section) => ({ ...section, name: name + section.name }))
  );
  return records.map(({ pcs }) =>
    Array.from(pcs, (pc) => {
      const found = sections.find(({ address }) => pc >= address && pc < address + 2 ** 32);
      return found === undefined ? formatAddress(pc) : `${found.name}+${pc - found.address}`;
    }).sort()
  );
}

test("the same test on two boots of a kernel has the same points, in one folder or merged", () => {
  inFolder((folder) => {
    const points = ["0xffffffff81000000", "ext4.text+21", "jbd2.text+21"];
    const [a, b, both] = ["a", "b", "both"].map((name) => join(folder, name));
    recordBoot(a, BOOTS[0]);
    recordBoot(b, BOOTS[1]);
    for (const boot of BOOTS) recordBoot(both, boot);
    assert.deepEqual(named(readRun(a)), [points]);
    assert.deepEqual(named(readRun(b)), [points]);
    for (const run of [readRun(both), mergeRuns([readRun(a), readRun(b)])]) {
      assert.deepEqual(named(run), [points, points]);
      assert.deepEqual(run.modules.map(({ name }) => name).sort(), ["ext4", "jbd2"]);
      assert.deepEqual(run.records[0].pcs, run.records[1].pcs);
    }
  });
});

test("a merged run that is written again is read as it was", () => {
  inFolder((folder) => {
    for (const boot of BOOTS) recordBoot(join(folder, "both"), boot);
    const run = readRun(join(folder, "both"));
    {
      using writer = openRun(join(folder, "again"), run);
      for (const record of run.records) writer.append(record);
    }
    assert.deepEqual(readRun(join(folder, "again")), run);
  });
});

test("neither the kernel's offset nor where a module lay is in a record file", () => {
  inFolder((folder) => {
    recordBoot(folder, BOOTS[0]);
    const file = readFileSync(join(folder, readdirSync(folder)[0]), "utf8");
    // Of the process, not of the kernel.
    const text = file.replace(/"run":"[^"]*","startedAt":\d+/, "");
    assert.notEqual(text, file);
    // A line's checksum, in hexadecimal, can have as many digits.
    const fields = text.replace(/ [0-9a-f]{8}$/gm, "");
    const numbers = [...fields.matchAll(/\d{6,}/g)].map(([digits]) => Number(digits));
    assert.ok(numbers.length >= 4, "the modules' addresses at least");
    for (const number of numbers) assert.ok(number >= FIRST_MODULE_ADDRESS, `${number}`);
    for (const { pcs } of readRun(folder).records) {
      assert.deepEqual(Array.from(pcs.filter((pc) => pc < FIRST_MODULE_ADDRESS)), [-0x7f00_0000]);
    }
  });
});

test("modules that were loaded and not hit are in the run, also those of after the last record", () => {
  inFolder((folder) => {
    using machine = new MadeUpMachine(0);
    const modules = ["a", "b"].map((name, at) => ({
      name,
      sections: { ".text": AREA + at * 0x2000 },
    }));
    machine.load(modules.slice(0, 1));
    {
      using writer = openRun(folder, { kernel: KERNEL, modules: new ModulePlaces(machine.root) });
      writer.append(testRecord());
      assert.deepEqual(readRun(folder).modules.map(({ name }) => name), ["a"]);
      machine.load(modules);
    }
    const run = readRun(folder);
    assert.deepEqual(run.modules.map(({ name }) => name), ["a", "b"]);
    assert.deepEqual(run.records, [testRecord()]);
    assert.equal(run.damaged, 0);
  });
});

test("points of a module whose line is damaged are not taken for another module's", () => {
  inFolder((folder) => {
    const [a, b] = ["a", "b"].map((name) => join(folder, name));
    recordBoot(a, { ...BOOTS[0], modules: { ext4: AREA + 0x1000 } });
    recordBoot(b, { ...BOOTS[0], modules: { jbd2: AREA + 0x1000 } });
    const path = join(a, readdirSync(a)[0]);
    writeFileSync(path, readFileSync(path, "utf8").replace('"module":"ext4"', '"module":"ext5"'));
    const merged = mergeRuns([readRun(a), readRun(b)]);
    assert.equal(merged.damaged, 1);
    const [damaged, whole] = named(merged);
    assert.deepEqual(whole, ["0xffffffff81000000", "jbd2.text+21"]);
    assert.equal(damaged.length, 2);
    assert.ok(damaged.every((point) => point.startsWith("0x")), damaged.join());
    assert.deepEqual(named(mergeRuns([merged]))[0], damaged, "merging again changes nothing");
  });
});

test("PCs that become one have the sum of their hits, as far as a count reaches", () => {
  const record = testRecord({
    pcs: Float64Array.of(1, 2, 3),
    hits: Uint32Array.of(5, 0xffff_fff0, 0xff),
  });
  const { pcs, hits } = withPcs(record, Float64Array.of(9, 4, 4));
  assert.deepEqual([...pcs], [4, 9]);
  assert.deepEqual([...hits ?? []], [0xffff_ffff, 5]);
  assert.equal(withPcs({ ...record, hits: null }, Float64Array.of(9, 4, 4)).hits, null);
});

test("the origins of PCs go where the PCs go, also where that changes their order or makes two one", () => {
  const record = originRecord({ 1: [10, 20, 30], 2: [20, 40], 3: [10] });
  const reversed = withPcs(record, Float64Array.of(400, 300, 200, 100));
  assert.deepEqual(reversed, originRecord({ 1: [400, 300, 200], 2: [300, 100], 3: [400] }));
  const joined = withPcs(record, Float64Array.of(7, 5, 7, 6));
  assert.deepEqual(joined, originRecord({ 1: [7, 5], 2: [5, 6], 3: [7] }));
  const counts = [[1, 2, 3], [4, 5], [6]];
  const counted = {
    ...record,
    hits: Uint32Array.of(7, 6, 3, 5),
    origins: record.origins!.map((one, at) => ({ ...one, hits: Uint32Array.from(counts[at]) })),
  };
  const moved = withPcs(counted, Float64Array.of(7, 5, 7, 6));
  assert.deepEqual([...moved.hits], [6, 5, 10]);
  assert.deepEqual(moved.origins.map(({ hits }) => [...hits]), [[2, 4], [4, 5], [6]]);
});

test("late work in a module that was loaded since is at that module's place", () => {
  inFolder((folder) => {
    using machine = new MadeUpMachine(0);
    const modules = ["a", "b"].map((name, at) => ({
      name,
      sections: { ".text": AREA + at * 0x2000 },
    }));
    const places = new ModulePlaces(machine.root);
    machine.load(modules.slice(0, 1));
    {
      using writer = openRun(folder, { kernel: KERNEL, modules: places });
      const number = writer.append(originRecord({ 1: [AREA + 0x10, 0x6000_0000] }));
      machine.load(modules);
      writer.addLate(number, {
        pcs: Float64Array.of(AREA + 0x10, AREA + 0x2010),
        origins: [
          { origin: 0x3001, points: Uint32Array.of(0, 1) },
          { origin: 1, points: Uint32Array.of(1) },
        ],
        pending: 0,
        dropped: 0,
        truncated: false,
      });
    }
    const run = readRun(folder);
    const [a, b] = run.modules.map(({ sections }) => sections[0].address + 0x10);
    assert.deepEqual(run.records, [
      originRecord({ 1: [0x6000_0000, a, b], 0x3001: [a, b] }),
    ]);
    assert.equal(run.damaged, 0);
  });
});

test("runs with modules at other places are merged with the origins of their points", () => {
  inFolder((folder) => {
    function recordOrigins(boot: Boot): Run {
      const directory = join(folder, `${boot.offset}`);
      using machine = new MadeUpMachine(boot.offset);
      machine.load(
        Object.entries(boot.modules).map(([name, text]) => ({
          name,
          sections: { ".text": text },
        })),
      );
      const { ext4, jbd2 } = boot.modules;
      {
        using writer = openRun(directory, {
          kernel: KERNEL,
          modules: new ModulePlaces(machine.root),
        });
        writer.append(
          originRecord({ 1: [ext4 + 0x10 - boot.offset], 2: [jbd2 + 0x10 - boot.offset] }),
        );
      }
      return readRun(directory);
    }
    const merged = mergeRuns(BOOTS.map(recordOrigins));
    const [first, second] = merged.records.map(({ pcs, origins }) =>
      origins!.map(({ origin, points }) => [origin, ...Array.from(points, (point) => pcs[point])])
    );
    assert.equal(merged.modules.length, 2);
    assert.deepEqual(first, second);
  });
});
