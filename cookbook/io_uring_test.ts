// io_uring, by a small C program: a test's child processes are part of its record (--scope tree, the default).
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";
import { compiled } from "./programs.ts";

const program = compiled("read_by_ring");

test(
  "a file is read through a ring",
  withKernelCoverage((cov) => {
    const text = execFileSync(program, ["/etc/hostname"], { encoding: "utf8" });
    assert.equal(text, readFileSync("/etc/hostname", "utf8"));
    if (cov.available) assert.ok(cov.reached("io_read"));
  }),
);

test(
  "a folder cannot be read through a ring",
  withKernelCoverage(() => {
    const { status, stderr } = spawnSync(program, ["/etc"], { encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /result -21/); // EISDIR
  }),
);
