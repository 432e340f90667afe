import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { runtimeName } from "../../src/sys/runtime.ts";

const MAIN = join(import.meta.dirname!, "../../src/cli/main.ts");
const FOLDER = mkdtempSync(join(tmpdir(), "kernelcov-symbolize-"));
after(() => rmSync(FOLDER, { recursive: true }));
const IMAGE = join(FOLDER, "vmlinux");
writeFileSync(
  join(FOLDER, "a.c"),
  `__attribute__((noipa)) void __sanitizer_cov_trace_pc(void) {}
   __attribute__((noinline)) int f(int x) { __sanitizer_cov_trace_pc(); return x + 1; }
   void _start(void) { f(1); }`,
);
// Linked where kernels of x86-64 are.
execFileSync(
  "gcc",
  [
    ..."-g -O1 -ffreestanding -fno-pie -mcmodel=kernel -nostdlib -static -no-pie".split(" "),
    ..."-fcf-protection=none -Wl,--build-id -Wl,-Ttext=0xffffffff81000000 a.c -o vmlinux".split(
      " ",
    ),
  ],
  { cwd: FOLDER, stdio: ["ignore", "ignore", "inherit"] },
);

function symbolize(pcs: readonly string[], input = "") {
  const runtime = runtimeName() === "deno" ? ["run", "-A", "--no-check"] : [];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...runtime, MAIN, "symbolize", "--json", "--image", IMAGE, ...pcs],
    { encoding: "utf8", input, env: { ...process.env, XDG_CACHE_HOME: join(FOLDER, "cache") } },
  );
  return { status, stdout, stderr };
}

/** The address behind the call in `f`. */
function pcOfCall(): string {
  const text = execFileSync("objdump", ["-d", "--no-show-raw-insn", IMAGE], { encoding: "utf8" });
  const at = /^([0-9a-f]{16}) <f>:[^]*?call .*\n\s*([0-9a-f]+):/m.exec(text);
  return `0x${at![2]}`;
}

test("a PC comes back as it was given, with its frames", () => {
  const pc = pcOfCall();
  for (const { status, stdout } of [symbolize([pc]), symbolize([], `${pc}\n`)]) {
    assert.equal(status, 0);
    const { pc: echoed, frames } = JSON.parse(stdout);
    assert.equal(echoed, pc);
    assert.equal(frames[0].function, "f");
  }
});

test("a PC that lost its upper half is told, with the one that it may be", () => {
  const pc = pcOfCall();
  const cut = pc.replace("0xffffffff", "0x");
  for (const { stdout, stderr } of [symbolize([cut]), symbolize([], `${cut}\n`)]) {
    assert.deepEqual(Object.keys(JSON.parse(stdout)), ["pc", "reason"]);
    assert.equal(
      stderr,
      `kernelcov: ${cut} is cut to 32 bits: ${pc} is in the kernel's code: give all 64 bits\n`,
    );
  }
  assert.equal(symbolize(["0x12345678"]).stderr, "");
});

test("a number that no kernel has code at, or of more than 64 bits, is refused and not echoed as another", () => {
  for (const word of ["0x7fffffffffffffff", "20000000000001", "0xffffffff8100000012"]) {
    for (const { status, stdout, stderr } of [symbolize([word]), symbolize([], `${word}\n`)]) {
      assert.notEqual(status, 0);
      assert.equal(stdout, "");
      assert.match(stderr, new RegExp(`^kernelcov: .*"${word}"`));
    }
  }
});
