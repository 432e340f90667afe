import assert from "node:assert/strict";
import { test } from "node:test";
import { moduleFinding } from "../../src/cli/commands/module_finding.ts";
import { MadeUpMachine } from "../_support/made_up_machine.ts";

const modules = ["first", "second"].map((name, at) => ({
  name,
  sections: { ".text": -0x4000_0000 + at * 0x4000 },
}));

test("a kernel without modules needs no word about them", () => {
  using machine = new MadeUpMachine(0);
  assert.equal(moduleFinding({ root: machine.root, folders: [] }), undefined);
});

test("modules without an image are counted, with what to do", () => {
  using machine = new MadeUpMachine(0);
  machine.load(modules);
  const finding = moduleFinding({ root: machine.root, release: "6.12.0", folders: [] });
  assert.equal(finding?.ok, undefined);
  assert.match(
    finding?.found ?? "",
    /^2 loaded, 2 without an image \(first: there is no first\.ko/,
  );
  assert.match(finding?.change ?? "", /KERNELCOV_MODULES/);
});

test("modules whose place the kernel hides are counted, with what to do", () => {
  using machine = new MadeUpMachine(undefined);
  machine.load(modules);
  const finding = moduleFinding({ root: machine.root, folders: [] });
  assert.match(finding?.found ?? "", /^2 loaded, 2 not placed: the kernel does not tell/);
  assert.match(finding?.change ?? "", /CAP_SYS_RAWIO/);
});
