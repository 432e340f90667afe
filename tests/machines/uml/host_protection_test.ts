import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { buildEmbeddedKernel } from "../../../src/build/build_kernel.ts";
import { UML_GUEST } from "../../../src/machines/uml/uml_machine.ts";
import { GuestProcess } from "../../../src/machines/uml/guest_process.ts";
import { guestProgram } from "../../../src/machines/guest/guest_programs.ts";
import { encodeFrame, ToGuest } from "../../../src/machines/guest/guest_protocol.ts";
import { GuestSession } from "../../../src/machines/guest/guest_session.ts";
import { explainUnsealed, hostProtection } from "../../../src/machines/guest/host_protection.ts";
import { Collector } from "../../_support/guest_run.ts";

test("hostProtection says what the launcher could do here", async () => {
  const found = hostProtection(guestProgram((await buildEmbeddedKernel()).path, "launcher"));
  assert.ok(found !== undefined && found.landlock >= 0);
  if (process.getuid?.() !== 0) {
    assert.deepEqual([found.mounts, found.capabilities], [false, false]);
  }
  assert.equal(hostProtection("/no/such/launcher"), undefined);
});

test("explainUnsealed names the layers that are left, and says where one leaves modes and times open", () => {
  const none = { landlock: 0, mounts: false, capabilities: false };
  assert.match(
    explainUnsealed(undefined),
    /lacks src\/build\/recipe\/hostfs\.patch: this host has no other protection/,
  );
  assert.match(explainUnsealed(none), /no other protection/);
  assert.match(
    explainUnsealed({ ...none, landlock: 3 }),
    /Landlock 3 protects .*but not their modes, owners and times$/,
  );
  assert.match(explainUnsealed({ ...none, mounts: true }), /: read-only mounts keep/);
  assert.match(
    explainUnsealed({ ...none, landlock: 7, mounts: true }),
    /read-only mounts and Landlock 7 keep/,
  );
});

test("a guest whose kernel could not be sealed is said in one line, before the command's own output", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-line-"));
  try {
    const kernel = await buildEmbeddedKernel();
    const init = join(folder, "init.sh");
    // Says hello, that the kernel is unsealed, that the command starts, its output and its status.
    writeFileSync(
      init,
      `#!/bin/sh
mount -t devtmpfs dev /dev
stty raw -echo </dev/ttyS0
printf 'H\\0\\0\\0\\0U\\0\\0\\0\\0R\\0\\0\\0\\0002\\4\\0\\0\\0out\\nU\\0\\0\\0\\0X\\4\\0\\0\\0\\0\\0\\0\\0' >/dev/ttyS0
sleep 100
`,
    );
    chmodSync(init, 0o755);
    const machine = {
      launcher: guestProgram(kernel.path, "launcher"),
      linux: kernel.linux,
      init,
      memoryBytes: 256 * 2 ** 20,
      parameters: [],
      memoryFolder: tmpdir(),
      write: [],
    };
    const stderr = new Collector();
    const session = new GuestSession(
      new GuestProcess(machine),
      encodeFrame(ToGuest.START, new Uint8Array(0)),
      {
        stdin: null,
        stdout: new Collector(),
        stderr,
        timeoutMs: undefined,
        explainUnsealed: () => "unsealed",
        kind: UML_GUEST,
      },
    );
    assert.equal((await session.result()).exitStatus, 0);
    assert.equal(stderr.text, "kernelcov: unsealed\nout\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
