import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelArguments } from "../../../src/machines/uml/guest_process.ts";

test("a kernel before 6.2 is told to trust the host's random bytes: Bun waits for random numbers", () => {
  const machine = {
    linux: "/k/linux",
    init: "/k/init",
    memoryBytes: 1 << 30,
    launcher: "/cache/launcher",
    parameters: [],
    write: [],
    memoryFolder: "/tmp",
  };
  assert.ok(kernelArguments(machine, "/tmp/run").includes("random.trust_cpu=on"));
});
