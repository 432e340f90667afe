import assert from "node:assert/strict";
import { test } from "node:test";
import { embeddedKernelPath } from "../../../src/build/build_kernel.ts";
import { TraceCode } from "../../../src/coverage/trace/trace_code.ts";
import { ImageCode } from "../../../src/elf/image_code.ts";
import { readSymbolNames } from "../../../src/elf/symbol_names.ts";
import { OpenImage } from "../../../src/kernel/image/open_image.ts";
import { readImagePoints } from "../../../src/symbolize/units/image_points.ts";

test("the scheduler, locks and softirqs have no coverage points", () => {
  const path = embeddedKernelPath();
  assert.ok(path !== undefined, "build the embedded kernel first");
  using image = new OpenImage(path);
  const symbols = readSymbolNames(image.elf, 0);
  const { address, callLength } = readImagePoints(image.elf);
  const code = new TraceCode(new ImageCode(image.elf), symbols, address, callLength);
  const functions = new Map<string, boolean>();
  for (let fn = 0; fn < symbols.address.length; fn++) {
    functions.set(symbols.nameAt(fn), code.hasPoints(fn));
  }
  for (const name of ["schedule", "try_to_wake_up", "mutex_lock", "down_read", "handle_softirqs"]) {
    assert.equal(functions.get(name), false, name);
  }
  for (const name of ["vfs_read", "alloc_pipe_info", "do_exit"]) {
    assert.equal(functions.get(name), true, name);
  }
});
