import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { test } from "node:test";
import { KcovUnavailableError } from "../../../src/errors.ts";
import { inGuest } from "../../_support/guest_run.ts";

const REFUSED = (error: unknown): boolean => {
  assert.ok(error instanceof KcovUnavailableError);
  assert.match(
    error.message,
    /serial line.* was written to by something else: leave \/dev\/ttyS0 alone/,
  );
  return true;
};

/** Writes bytes, given in octal, past process 1 to the host. */
function toLine(bytes: string): string {
  return `printf '${bytes}' >/dev/ttyS0; sleep 100`;
}

test("what the guest's root writes to the serial line ends the run with one clear line", async () => {
  await assert.rejects(inGuest(toLine("hello\\n")), REFUSED);
  // Standard output, 4 GiB of it.
  await assert.rejects(inGuest(toLine("1\\377\\377\\377\\377")), REFUSED);
  // An exit status of no bytes.
  await assert.rejects(inGuest(toLine("X\\0\\0\\0\\0")), REFUSED);
});

test("a guest that asks for input and does not read it is not sent all there is", async () => {
  let sent = 0;
  const endless = new Readable({
    read(size) {
      sent += size;
      this.push(Buffer.alloc(size));
    },
  });
  // Process 1, which would read it, is frozen.
  const script =
    `mkdir /sys/fs/cgroup/frozen; cd /sys/fs/cgroup/frozen; echo 1 >cgroup.procs; echo 1 >cgroup.freeze
    until grep -q 'frozen 1' cgroup.events; do sleep 0.1; done
    i=0; while [ $i -lt 200 ]; do printf 'W\\0\\0\\0\\0' >/dev/ttyS0; i=$((i + 1)); done; sleep 1000`;
  await assert.rejects(inGuest(script, { stdin: endless }), REFUSED);
  assert.ok(sent < 8 << 20, String(sent));
});
