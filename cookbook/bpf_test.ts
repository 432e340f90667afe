// A BPF program on a socket, and one that the verifier refuses. Needs root.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";
import { compiled } from "./programs.ts";

const program = compiled("socket_filter");

function run(argument: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(program, [argument], { encoding: "utf8" });
}

test(
  "a filter shortens packets, or drops them",
  withKernelCoverage((cov) => {
    assert.equal(run("10").stdout, "10\n");
    assert.equal(run("1000").stdout, "100\n");
    assert.equal(run("0").stdout, "-1\n");
    if (cov.available) assert.ok(cov.reached("sk_filter_trim_cap"));
  }),
);

test(
  "the verifier refuses a program that reads what was never written",
  withKernelCoverage((cov) => {
    const { status, stderr } = run("wrong");
    assert.equal(status, 1);
    assert.match(stderr, /R5 !read_ok/);
    if (cov.available) assert.ok(cov.reached("bpf_check"));
  }),
);
