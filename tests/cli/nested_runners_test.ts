import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runtimeName } from "../../src/sys/runtime.ts";
import { KERNELCOV, runtimeEnvironment } from "../_support/guest_run.ts";

// Each run boots a guest and reports.
const SLOW = { timeout: 300_000 };

const folder = mkdtempSync(join(tmpdir(), "kernelcov-nested-"));
after(() => rmSync(folder, { recursive: true }));
const body = 'import { test } from "node:test";\nimport { readFileSync } from "node:fs";\n' +
  'test("reads", () => void readFileSync("/proc/version"));\n';
writeFileSync(join(folder, "a_test.ts"), body);
writeFileSync(join(folder, "n.test.mjs"), body);
const runner = runtimeName() === "deno"
  ? "deno test -A --no-check --no-config ./a_test.ts"
  : "bun test ./a_test.ts";
writeFileSync(
  join(folder, "package.json"),
  JSON.stringify({ private: true, scripts: { test: runner } }),
);

function kernelcovTest(
  scope: string,
  command: readonly string[],
): { status: number | null; stdout: string; stderr: string } {
  const args = ["test", "--kernel", "embedded", "--scope", scope, "--out", join(folder, "out")];
  return spawnSync(KERNELCOV, [...args, "--", ...command], {
    cwd: folder,
    env: { ...runtimeEnvironment(), NO_COLOR: "1" },
    encoding: "utf8",
  });
}

for (const scope of ["tree", "thread"]) {
  test(`npm test is covered in ${scope} scope`, SLOW, () => {
    const { status, stdout, stderr } = kernelcovTest(scope, ["npm", "test", "--silent"]);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /^a_test\.ts\n {2}reads +passed +\d/m);
    assert.doesNotMatch(stderr, /kernelcov/);
    rmSync(join(folder, "out"), { recursive: true });
  });

  test(
    `node --test is said not to be covered in ${scope} scope, and no report is written`,
    SLOW,
    () => {
      const { status, stderr } = kernelcovTest(scope, ["node", "--test"]);
      assert.equal(status, 3, stderr);
      assert.match(stderr, /^kernelcov: Tests of node --test have no records of their own: /m);
      assert.match(stderr, /^kernelcov: No test was recorded: /m);
      assert.equal(existsSync(join(folder, "out/lcov.info")), false);
    },
  );
}

test("a command that fails without a test has its own status", SLOW, () => {
  const { status, stderr } = kernelcovTest("tree", ["sh", "-c", "exit 9"]);
  assert.equal(status, 9);
  assert.match(stderr, /^kernelcov: No test was recorded: /m);
});
