import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { runtimeName } from "../../src/sys/runtime.ts";

const script = join(import.meta.dirname!, "../../scripts/with_ticks.ts");
const start = runtimeName() === "deno" ? ["run", "-A", "--no-check", script] : [script];

test("a silent command is said to go on, one that prints is left alone, and its status is kept", () => {
  const command = "echo first; sleep 1; printf half; sleep 1; echo; echo last >&2; exit 7";
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...start, "--every", "300", "sh", "-c", command],
    { encoding: "utf8" },
  );
  assert.equal(status, 7);
  assert.equal(stdout, "first\nhalf\n");
  const lines = stderr.trimEnd().split("\n");
  assert.equal(lines.at(-1), "last");
  assert.ok(lines.filter((line) => /^ {2}… \d+ s$/.test(line)).length >= 2, stderr);
});

test("a command that cannot be started is named", () => {
  const { status, stderr } = spawnSync(process.execPath, [...start, "/no/such"], {
    encoding: "utf8",
  });
  assert.equal(status, 127);
  assert.match(stderr, /\/no\/such cannot be started/);
});
