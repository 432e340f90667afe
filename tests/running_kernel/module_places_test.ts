import assert from "node:assert/strict";
import { test } from "node:test";
import type { Address } from "../../src/base/address.ts";
import { kernelOffset } from "../../src/kernel/kernel_offset.ts";
import { parseProcModules } from "../../src/kernel/loaded_modules.ts";
import { ModulePlaces } from "../../src/kernel/module_places.ts";
import { FIRST_MODULE_ADDRESS } from "../../src/record/run_modules.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { kcore, MadeUpMachine, type MadeUpModule } from "../_support/made_up_machine.ts";
import { testRecord } from "../_support/test_records.ts";

const OFFSET = 0x1a40_0000;
/** Where the kernel lies as linked, and the area of modules, which is not moved. */
const KERNEL = -0x7f00_0000, AREA = -0x4000_0000;
const BUILD = "ab".repeat(20);

const first: MadeUpModule = {
  name: "first",
  buildId: BUILD,
  sections: { ".text": AREA + 0x1000, ".exit.text": AREA + 0x1800, ".init.text": AREA + 0x9000 },
};

/** A PC as KCOV gives it for a run-time address: with the kernel's offset taken off, of modules too. */
function raw(address: Address): Address {
  return address - OFFSET;
}

function record(addresses: readonly Address[], parts: Partial<TestRecord> = {}): TestRecord {
  const pcs = Float64Array.from(addresses, raw).sort();
  return testRecord({ pcs, hits: new Uint32Array(pcs.length).fill(1), durationMs: 10, ...parts });
}

/** `module.section+offset` for PCs in modules, the PC itself for others. */
function named(places: ModulePlaces, { pcs }: TestRecord): (string | number)[] {
  const sections = places.modules.flatMap(({ name, sections }) =>
    sections.map((section) => ({ module: name, ...section }))
  );
  return Array.from(pcs, (pc) => {
    const found = sections.find(({ address }) => pc >= address && pc < address + 2 ** 32);
    return found === undefined ? pc : `${found.module}${found.name}+${pc - found.address}`;
  });
}

test("the kernel's offset is read from the notes of /proc/kcore", () => {
  using machine = new MadeUpMachine(OFFSET);
  assert.equal(kernelOffset(machine.root), OFFSET);
  machine.write("proc/kcore", kcore("KERNELOFFSET=0"));
  assert.equal(kernelOffset(machine.root), 0);
  machine.write("proc/kcore", kcore("NUMBER(KERNELOFFSET)=12"));
  assert.equal(kernelOffset(machine.root), undefined);
  const whole = kcore("KERNELOFFSET=abc000").subarray(0, 300);
  for (let length = 0; length < whole.length; length++) {
    machine.write("proc/kcore", whole.subarray(0, length));
    assert.ok([undefined, 0xabc000].includes(kernelOffset(machine.root)), `${length} bytes`);
  }
  using hidden = new MadeUpMachine(undefined);
  assert.equal(kernelOffset(hidden.root), undefined);
});

test("/proc/modules gives names, sizes, states and addresses", () => {
  const text =
    "ext4 1163264 2 - Live 0xffffffffc0a00000\njbd2 200704 1 ext4, Loading 0x0000000000000000 (E)\n\n";
  assert.deepEqual(parseProcModules(text), [
    { name: "ext4", size: 1163264, state: "Live", address: -0x3f60_0000 },
    { name: "jbd2", size: 200704, state: "Loading", address: 0 },
  ]);
});

test("PCs in modules become offsets in their sections; the kernel's own stay", () => {
  using machine = new MadeUpMachine(OFFSET);
  machine.load([first, { name: "second", sections: { ".text": AREA + 0x2000 } }]);
  const places = new ModulePlaces(machine.root);
  const kernelPc = KERNEL + OFFSET + 0x123;
  const placed = places.place(
    record([kernelPc, AREA + 0x1005, AREA + 0x1805, AREA + 0x2005, AREA + 0x8005]),
  );
  assert.deepEqual(named(places, placed), [
    KERNEL + 0x123,
    // Behind all that is known of any module.
    raw(AREA + 0x8005),
    "first.exit.text+5",
    "first.text+5",
    "second.text+5",
  ]);
  assert.deepEqual(
    places.modules.map(({ name, buildId }) => [name, buildId]),
    [["first", BUILD], ["second", ""]],
  );
});

test("a return address at the very end of a section is not the next section's", () => {
  using machine = new MadeUpMachine(OFFSET);
  machine.load([first]);
  const places = new ModulePlaces(machine.root);
  const placed = places.place(record([AREA + 0x1800, AREA + 0x1000]));
  assert.deepEqual(named(places, placed), [raw(AREA + 0x1000), "first.text+2048"]);
});

test("the sizes of modules may reach over the next one's code, and over what is no module's", () => {
  using machine = new MadeUpMachine(OFFSET);
  const size = 0x10_0000;
  machine.load([
    { name: "large", size, codeSize: 0x1000, sections: { ".text": AREA + 0x1000 } },
    { name: "near", size, codeSize: 0x2000, sections: { ".text": AREA + 0x3000 } },
  ]);
  const addresses = [AREA + 0x1fff, AREA + 0x2fff, AREA + 0x3001, AREA + 0x5001];
  const places = new ModulePlaces(machine.root);
  assert.deepEqual(named(places, places.place(record(addresses))), [
    raw(AREA + 0x2fff),
    raw(AREA + 0x5001),
    "large.text+4095",
    "near.text+1",
  ]);
  // Before Linux 6.4, and where areas are hidden.
  machine.write("proc/vmallocinfo", "0x0000000000000000-0x0000000000000000 8192 x\n");
  const others = new ModulePlaces(machine.root);
  assert.deepEqual(named(others, others.place(record(addresses))), [
    "large.text+4095",
    "large.text+8191",
    "near.text+1",
    "near.text+8193",
  ]);
});

test("a kernel without modules leaves records as they are", () => {
  using machine = new MadeUpMachine(OFFSET);
  const places = new ModulePlaces(`${machine.root}/nowhere`);
  const plain = record([KERNEL + OFFSET, AREA]);
  assert.equal(places.place(plain), plain);
  const none = new ModulePlaces(machine.root);
  assert.equal(none.place(plain), plain);
});

test("a module that is loaded again elsewhere within a test has its hits added up", () => {
  using machine = new MadeUpMachine(OFFSET);
  machine.load([first]);
  const places = new ModulePlaces(machine.root);
  places.observe();
  const moved = { ...first, sections: { ".text": AREA + 0x5000, ".exit.text": AREA + 0x5800 } };
  machine.load([moved], ["first"]);
  const placed = places.place(
    record([AREA + 0x1005, AREA + 0x1009, AREA + 0x5005], { hits: Uint32Array.of(2, 3, 4) }),
  );
  assert.deepEqual(named(places, placed), ["first.text+5", "first.text+9"]);
  assert.deepEqual([...placed.hits ?? []], [6, 3]);
  assert.equal(places.modules.length, 1);
});

test("a place that two modules had within a test is nobody's; before and after it is theirs", () => {
  using machine = new MadeUpMachine(OFFSET);
  let now = 0;
  const places = new ModulePlaces(machine.root, () => now);
  const other = { name: "other", sections: { ".text": AREA + 0x1000 } };
  machine.load([first]);
  places.observe();
  now = 10_000;
  assert.deepEqual(named(places, places.place(record([AREA + 0x1005]))), ["first.text+5"]);
  machine.load([other]);
  now = 20_000;
  const both = places.place(record([AREA + 0x1005], { durationMs: 9000 }));
  assert.deepEqual(named(places, both), [raw(AREA + 0x1005)]);
  now = 30_000;
  assert.deepEqual(named(places, places.place(record([AREA + 0x1005]))), ["other.text+5"]);
  // A long test that began before.
  const long = places.place(record([AREA + 0x1005], { durationMs: 29_000 }));
  assert.deepEqual(named(places, long), [raw(AREA + 0x1005)]);
});

test("another build of a module at the same place is noticed, though /proc/modules is the same", () => {
  using machine = new MadeUpMachine(OFFSET);
  let now = 0;
  const places = new ModulePlaces(machine.root, () => now);
  machine.load([first]);
  places.observe();
  machine.load([{ ...first, buildId: "cd".repeat(20) }], ["first"]);
  now = 10_000;
  assert.deepEqual(
    named(places, places.place(record([AREA + 0x1005]))),
    [raw(AREA + 0x1005)],
    "either build",
  );
  assert.deepEqual(places.modules.map(({ buildId }) => buildId), [BUILD, "cd".repeat(20)]);
  now = 20_000;
  const [placed] = places.place(record([AREA + 0x1005])).pcs;
  assert.ok(placed >= FIRST_MODULE_ADDRESS);
  assert.equal(
    placed,
    (places.modules[1].sections.find(({ name }) => name === ".text")?.address ?? 0) + 5,
  );
});

test("a module that was unloaded when the test ended is known from before", () => {
  using machine = new MadeUpMachine(OFFSET);
  machine.load([first]);
  const places = new ModulePlaces(machine.root);
  places.observe();
  machine.load([]);
  assert.deepEqual(named(places, places.place(record([AREA + 0x1005]))), ["first.text+5"]);
});

test("a module that is being loaded has no place yet", () => {
  using machine = new MadeUpMachine(OFFSET);
  machine.load([{ ...first, state: "Loading", sections: {} }]);
  const places = new ModulePlaces(machine.root);
  places.observe();
  assert.equal(places.size, 0);
  machine.load([first]);
  assert.deepEqual(named(places, places.place(record([AREA + 0x1005]))), ["first.text+5"]);
});

test("what the kernel hides is said of each module, and its PCs stay as they are", () => {
  using machine = new MadeUpMachine(undefined);
  machine.load([first]);
  const places = new ModulePlaces(machine.root);
  const plain = record([AREA + 0x1005]);
  assert.equal(places.place(plain), plain);
  assert.match(places.modules[0].hidden ?? "", /CONFIG_PROC_KCORE/);
  using zeros = new MadeUpMachine(OFFSET);
  zeros.load([{ ...first, sections: { ".text": 0 } }]);
  const others = new ModulePlaces(zeros.root);
  others.observe();
  assert.match(others.modules[0].hidden ?? "", /kptr_restrict/);
});
