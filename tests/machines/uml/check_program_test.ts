import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { checkGuestProgram } from "../../../src/machines/uml/check_program.ts";
import { KERNELCOV, runtimeEnvironment } from "../../_support/guest_run.ts";

const folder = mkdtempSync(join(tmpdir(), "kernelcov-program-"));
after(() => rmSync(folder, { recursive: true }));

/** A program's file with the header of an ELF file of this class and machine. */
function program(name: string, bits: 1 | 2, machine: number): string {
  const bytes = new Uint8Array(64);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits, 1, 1]);
  bytes.set([2, 0, machine, 0], 16);
  const path = join(folder, name);
  writeFileSync(path, bytes);
  chmodSync(path, 0o755);
  return path;
}

test("a program of another machine is refused, whichever way it is named", () => {
  const old = program("old", 1, 3);
  program("arm", 2, 183);
  const message = /a 32-bit program.*runs only those of x86-64/;
  assert.throws(() => checkGuestProgram([old], "", "/"), message);
  assert.throws(() => checkGuestProgram(["./old"], "", folder), message);
  // A folder that cannot be searched, as others' may not be, is passed over.
  symlinkSync("loop", join(folder, "loop"));
  const path = `/nowhere:${join(folder, "loop")}:${folder}`;
  assert.throws(() => checkGuestProgram(["old"], path, "/"), message);
  assert.throws(() => checkGuestProgram(["arm"], folder, "/"), /for another processor/);
});

test("other programs, scripts and what is none are left to the guest", () => {
  writeFileSync(join(folder, "script"), "exit 3\n");
  writeFileSync(join(folder, "short"), "\x7fELF");
  program("own", 2, 62);
  for (const name of ["script", "short", "own", "absent", "/", "."]) {
    checkGuestProgram([name], folder, folder);
  }
  checkGuestProgram([process.execPath], undefined, "/");
  checkGuestProgram([], "", "/");
});

test("kernel run, record and test say in one line that a 32-bit program cannot be run", {
  timeout: 120_000,
}, () => {
  const old = program("old32", 1, 3);
  for (
    const command of [["kernel", "run"], ["record", "--kernel", "embedded"], [
      "test",
      "--kernel",
      "embedded",
    ]]
  ) {
    const out = command.length === 2 ? [] : ["--out", join(folder, "out")];
    const { status, stderr, stdout } = spawnSync(KERNELCOV, [...command, ...out, "--", old], {
      env: runtimeEnvironment(),
      encoding: "utf8",
    });
    assert.equal(status, 1, stderr);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      /^kernelcov: Cannot run .*old32 in the guest: it is a 32-bit program.*\n$/,
    );
  }
});
