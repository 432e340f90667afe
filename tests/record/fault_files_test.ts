import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { codeOfCall } from "../../src/kernel/fault_injection.ts";
import { callsOf, checkFaults } from "../../src/hook/faults/fault_plan.ts";
import { FaultWriter, readFaults, removeOtherFaults } from "../../src/record/faults/fault_files.ts";

const FAULT = {
  name: "a pipe",
  file: "pipe_test.ts",
  runner: "deno",
  call: "pipe2",
  nth: 3,
  error: "ENOMEM",
  pcs: Float64Array.of(-0x7eff_fff0, 0x6000_0010),
};

test("failures come back from a run's folder, those of other kernels and damaged lines left out", () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-faults-"));
  try {
    const cut = { name: "a pipe", file: "pipe_test.ts", call: "pipe2", why: "2 s have passed" };
    for (const [buildId, run] of [["aa", "one"], ["aa", "two"], ["bb", "two"]]) {
      const writer = new FaultWriter(folder, { buildId, run });
      writer.add({ ...FAULT, nth: run === "one" ? 1 : 3 });
      writer.addCut(cut);
      writer.close();
    }
    assert.equal(readFaults(folder, "aa").runs.length, 2);
    removeOtherFaults(folder, "two");
    assert.deepEqual(readFaults(folder, "aa"), { runs: [FAULT], cuts: [cut], damaged: 0 });
    const [name] = readdirSync(folder).filter((file) =>
      readFileSync(join(folder, file), "utf8").includes('"aa"')
    );
    const lines = readFileSync(join(folder, name), "utf8").split("\n");
    lines[1] = lines[1].replace("ENOMEM", "EAGAIN");
    writeFileSync(join(folder, name), lines.join("\n"));
    assert.deepEqual(readFaults(folder, "aa"), { runs: [], cuts: [cut], damaged: 1 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the code of a system call is that of its first function, up to the next", () => {
  const symbols = [
    "ffffffff81000100 T __x64_sys_pipe2",
    "ffffffff81000140 t other",
    "ffffffff81000120 T __se_sys_pipe2",
    "ffffffff81000000 T sys_call_table",
  ].join("\n");
  assert.deepEqual(codeOfCall(symbols, "pipe2"), {
    start: 0xffffffff81000100n,
    end: 0xffffffff81000120n,
  });
  assert.equal(codeOfCall(symbols, "pipe"), undefined);
  assert.equal(
    codeOfCall("0000000000000000 T sys_pipe2\n0000000000000000 T x", "pipe2"),
    undefined,
  );
});

test("all calls are those that a test made itself, but for a runtime's own", () => {
  const points = new Uint32Array(1);
  // openat, mmap, futex, a page fault, and a close by a work.
  const origins = [257, 9, 202, 0xc01, 0x2003].map((origin) => ({ origin, points }));
  assert.deepEqual(callsOf({}, origins, "x86_64"), ["openat"]);
  assert.deepEqual(callsOf({ call: ["mmap", "all"] }, origins, "x86_64"), ["mmap", "openat"]);
  assert.deepEqual(callsOf({ call: "pipe2" }, undefined, "x86_64"), ["pipe2"]);
  assert.throws(() => checkFaults({ nth: 0 }), TypeError);
  assert.throws(() => checkFaults({ call: "" }), TypeError);
  checkFaults({ call: ["openat"], nth: 2 });
});
