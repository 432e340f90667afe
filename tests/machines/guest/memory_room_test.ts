import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { inGuest } from "../../_support/guest_run.ts";

/** Programs whose memory is in many pieces; scripts/checks/memory.ts runs larger ones. */
const PROGRAMS: Readonly<Record<string, readonly [script: string, output: string]>> = {
  "a dictionary of 600,000 entries": [
    `awk 'BEGIN { for (i = 0; i < 600000; i++) d[i * 7919 % 15000017] = i; for (k in d) n++; print n }'`,
    "600000\n",
  ],
  "a shuffle of two million lines": ["seq 2000000 | sort -R -S 300M | wc -l", "2000000\n"],
};

for (const [name, [script, output]] of Object.entries(PROGRAMS)) {
  test(`${name} has room in the guest`, { timeout: 120_000 }, async () => {
    const run = await inGuest(script);
    assert.deepEqual([run.exitStatus, run.stdout, run.stderr], [0, output, ""]);
  });
}

test("a process that needs more memory than the guest has is killed, and the run says so", {
  timeout: 120_000,
}, async () => {
  const script = `awk 'BEGIN { s = "x"; for (;;) s = s s }'; echo "status $?"`;
  const { stdout, stderr } = await inGuest(script, { memory: "256M" });
  assert.match(`${stdout}${stderr}`, /status (137|2|1)\b/);
});

test("um_fault_around=0 maps pages one by one", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-memory-"));
  try {
    const source = fileURLToPath(new URL("../../kernel/fixtures/memory_cases.c", import.meta.url));
    const program = join(folder, "memory_cases");
    execFileSync("gcc", ["-O1", "-pthread", "-o", program, source]);
    const command = [program, "one_by_one"];
    const off = await inGuest(command, { parameters: ["um_fault_around=0"] });
    assert.equal(off.stdout, "ok one_by_one\n");
    const on = await inGuest(command);
    assert.match(on.stdout, /^not ok one_by_one: \d+ pages are there/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
