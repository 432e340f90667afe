import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { formatAddress } from "../../src/base/address.ts";
import {
  callEntriesPath,
  keepCallEntries,
  keptCallEntries,
} from "../../src/kernel/entry_functions.ts";
import { keepImageEntries } from "../../src/kernel/image_entries.ts";
import { listedCallEntries } from "../../src/kernel/listed_entries.ts";
import { MadeUpMachine } from "../_support/made_up_machine.ts";
import { SmallImage } from "../_support/images/small_image.ts";

const CACHE = mkdtempSync(join(tmpdir(), "kernelcov-entries-"));
const before = process.env["XDG_CACHE_HOME"];
process.env["XDG_CACHE_HOME"] = CACHE;
after(() => {
  if (before === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = before;
  rmSync(CACHE, { recursive: true });
});

const OFFSET = 0x1a40_0000;
const TEXT = -0x7f00_0000;

function kallsyms(symbols: Readonly<Record<string, number>>): string {
  return Object.entries(symbols).map(([name, at]) =>
    `${formatAddress(at).slice(2)} ${name.startsWith("data") ? "d" : "t"} ${name}\n`
  ).join("") + "ffffffffc0001000 t sys_module\t[ext4]\n";
}

const SYMBOLS = {
  __ia32_sys_getpid: TEXT + OFFSET,
  __x64_sys_getpid: TEXT + OFFSET,
  ksys_read: TEXT + OFFSET + 0x40,
  data_of: TEXT + OFFSET + 0x50,
  __x64_sys_read: TEXT + OFFSET + 0x80,
  get_signal: TEXT + OFFSET + 0xa0,
  vfs_read: TEXT + OFFSET + 0x100,
};

const EXPECTED = {
  start: Float64Array.of(TEXT, TEXT + 0x80, TEXT + 0xa0),
  end: Float64Array.of(TEXT + 0x40, TEXT + 0xa0, TEXT + 0x100),
  origin: Uint16Array.of(39, 0, 0xc02),
};

test("entries of the running kernel are where they were linked, whatever it was moved by", () => {
  using machine = new MadeUpMachine(OFFSET);
  machine.write("proc/kallsyms", kallsyms(SYMBOLS));
  assert.deepEqual(listedCallEntries("x86_64", machine.root), EXPECTED);
});

test("where the kernel hides addresses, or by how much it was moved, nothing is known", () => {
  using hidden = new MadeUpMachine(OFFSET);
  const zeros = Object.fromEntries(Object.keys(SYMBOLS).map((name) => [name, 0]));
  hidden.write("proc/kallsyms", kallsyms(zeros).replaceAll(/^0 /gm, "0000000000000000 "));
  assert.equal(listedCallEntries("x86_64", hidden.root), undefined);
  using unmoved = new MadeUpMachine(undefined);
  unmoved.write("proc/kallsyms", kallsyms(SYMBOLS));
  assert.equal(listedCallEntries("x86_64", unmoved.root), undefined);
  using without = new MadeUpMachine(OFFSET);
  assert.equal(listedCallEntries("x86_64", without.root), undefined);
});

test("entries are kept by build id, and files that are cut or of others are not believed", () => {
  assert.equal(keptCallEntries("ab12"), undefined);
  keepCallEntries("ab12", EXPECTED);
  assert.deepEqual(keptCallEntries("ab12"), EXPECTED);
  assert.equal(keptCallEntries("ab13"), undefined);
  const path = callEntriesPath("ab12");
  const text = readFileSync(path, "utf8");
  for (
    const damaged of [
      text.slice(0, -1),
      text.replace('"version":4', '"version":3'),
      text.replace('"origin":[39,', '"origin":['),
      text.replace(`[${TEXT},`, `[${TEXT + 0x1000},`),
      "{}",
      "null",
      "",
    ]
  ) {
    assert.notEqual(damaged, text);
    writeFileSync(path, damaged);
    assert.equal(keptCallEntries("ab12"), undefined, damaged);
  }
});

test("a build id that is none names no file", () => {
  for (const buildId of ["", "../../x", "AB"]) {
    keepCallEntries(buildId, EXPECTED);
    assert.equal(keptCallEntries(buildId), undefined);
  }
});

test("an image's entries are kept for processes that run on it", () => {
  using image = new SmallImage({
    "fs/open.c": "int pipe_poll(int); long __se_sys_openat(int a) { return pipe_poll(a); }\n" +
      "long sys_getppid(void) { return pipe_poll(1); }\n",
  });
  keepImageEntries(image.path, "x86_64");
  const kept = keptCallEntries(image.index.buildId)!;
  assert.deepEqual([...kept.origin].sort((a, b) => a - b), [110, 257]);
  // Kept once: an image that is not there is not missed.
  keepImageEntries(join(image.folder, "missing"), "x86_64");
});

test("a cache that cannot be written to costs only that", () => {
  const path = callEntriesPath("cd34");
  rmSync(dirname(path), { recursive: true, force: true });
  writeFileSync(dirname(path), "");
  keepCallEntries("cd34", EXPECTED);
  assert.equal(keptCallEntries("cd34"), undefined);
  rmSync(dirname(path));
  mkdirSync(dirname(path));
});
