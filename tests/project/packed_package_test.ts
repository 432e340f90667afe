import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { readRun } from "../../src/record/read_run.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { VERSION } from "../../src/version.ts";

const SLOW = { timeout: 120_000 };
const root = join(import.meta.dirname!, "../..");
const runtime = runtimeName();
const env = { ...process.env, KERNELCOV_RUNTIME: runtime, NO_COLOR: "1" };

const folder = mkdtempSync(join(tmpdir(), "kernelcov-packed-"));
after(() => rmSync(folder, { recursive: true }));

/** More than the preload's own tests before: numbers that were counted twice would meet. */
const PARTS = 6;

/** A project that has the package from npm, and the runtime of this test from elsewhere. */
const DENO_TEST = `import { kernelCoverage, withKernelCoverage } from "kernelcov";
Deno.test("a file is read", withKernelCoverage((cov, t) => {
  for (let part = 1; part <= ${PARTS}; part++) {
    using _within = kernelCoverage(\`part \${part} of it\`);
    Deno.readTextFileSync("/etc/hostname");
  }
  if (cov.available && !cov.reached("vfs_read")) throw new RangeError(t.name);
}));
`;
const BUN_TEST = `import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { kernelCoverage, withKernelCoverage } from "kernelcov";
test("a file is read", withKernelCoverage((cov) => {
  for (let part = 1; part <= ${PARTS}; part++) {
    using _within = kernelCoverage(\`part \${part} of it\`);
    readFileSync("/etc/hostname");
  }
  if (cov.available) expect(cov.reached("vfs_read")).toBe(true);
}));
`;
writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
writeFileSync(join(folder, "read_test.ts"), runtime === "deno" ? DENO_TEST : BUN_TEST);
const packed = execFileSync(process.execPath, [
  ...(runtime === "deno" ? ["run", "--quiet", "--allow-all"] : ["run"]),
  join(root, "scripts/pack.ts"),
  folder,
], { encoding: "utf8", env }).trim();
execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", "--silent", packed], {
  cwd: folder,
});

const launcher = join(folder, "node_modules/.bin/kernelcov");
const runTests = runtime === "deno" ? ["deno", "test", "-A"] : ["bun", "test"];

function run(command: string, args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
}

test("what runs before the first test is one file each", () => {
  for (const name of ["runners/deno/preload", "runners/bun/preload", "tracer/supervise_main"]) {
    const text = readFileSync(join(folder, `node_modules/kernelcov/src/${name}.js`), "utf8");
    assert.doesNotMatch(text, /^import .*"\./m);
    assert.match(text, /SUPERVISOR_VARIABLE/);
  }
});

test("the package has the documents, and nothing that only its developers need", () => {
  const names = readdirSync(join(folder, "node_modules/kernelcov"));
  assert.deepEqual(
    names.sort(),
    ["CHANGELOG.md", "LICENSE", "README.md", "docs", "mod.d.ts", "mod.js", "mod_node.js"]
      .concat("package.json", "src").sort(),
  );
});

test("the installed command starts", () => {
  assert.deepEqual(run(launcher, ["--version"]), { status: 0, output: `${VERSION}\n` });
});

test("the installed library has types, and leaves tests alone where there is no KCOV", SLOW, () => {
  const [command, ...args] = runTests;
  const { status, output } = run(command, [...args, "./read_test.ts"]);
  assert.equal(status, 0, output);
  assert.match(output, /1 pass/);
  if (runtime === "deno") assert.match(output, /^Check .*read_test\.ts$/m);
});

test("what a preload loads late is found from the file that it was joined in", SLOW, () => {
  const [command, ...args] = runTests;
  const preload = join(folder, `node_modules/kernelcov/src/runners/${runtime}/preload.js`);
  const { status, output } = run(command, [...args, "--preload", preload, "./read_test.ts"]);
  assert.equal(status, 0, output);
  assert.match(output, /^kernelcov: no kernel coverage: |^kernelcov: .*lcov/m);
  assert.doesNotMatch(output, /no record of test|module/i);
});

test("the README's first example passes, and passes again", SLOW, () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, example] = /```ts\n(\/\/ pipe_test\.ts\n[^]*?)```/.exec(readme)!;
  writeFileSync(join(folder, "pipe_test.ts"), example!);
  const [command, ...args] = runTests;
  const noCheck = runtime === "deno" ? ["--no-check"] : [];
  for (let time = 0; time < 2; time++) {
    const { status, output } = run(command, [...args, ...noCheck, "./pipe_test.ts"]);
    assert.equal(status, 0, output);
    assert.match(output, /a pipe carries bytes/);
  }
});

test("on Node.js wrapped tests run as without the hook, and one line says why", SLOW, () => {
  const tests = `import assert from "node:assert";
import { test } from "node:test";
import { kernelCoverage, withKernelCoverage } from "kernelcov";
test("has no coverage", withKernelCoverage((cov) => assert.equal(cov.available, false)));
test("waits", withKernelCoverage(async (cov, t) => { await null; assert.equal(t.name, "waits"); }));
test("fails", withKernelCoverage(() => { throw new TypeError("of its own"); }));
test("has a block", () => { kernelCoverage("block")[Symbol.dispose](); });
`;
  writeFileSync(join(folder, "node.test.mjs"), tests);
  const { status, output } = run("node", ["--test", "--test-reporter=tap", "node.test.mjs"]);
  assert.equal(status, 1, output);
  assert.match(output, /^# pass 3\n# fail 1$/m);
  assert.match(output, /of its own/);
  assert.equal(output.match(/no kernel coverage: This JavaScript runtime cannot call/g)?.length, 1);
  assert.doesNotMatch(output, /SyntaxError|MODULE_NOT_FOUND/);
});

test("the installed command covers a test in the embedded kernel", SLOW, () => {
  const { status, output } = run(launcher, ["test", "--", ...runTests, "./read_test.ts"]);
  assert.equal(status, 0, output);
  const { records } = readRun(join(folder, "coverage/kernel/run"));
  // The preload and the test file have loaded the library twice: they number the tests of the thread together.
  const parts = Array.from({ length: PARTS }, (_, index) => `part ${index + 1} of it`);
  for (const wanted of ["a file is read", ...parts]) {
    const record = records.find(({ name }) => name === wanted);
    assert.ok(record !== undefined && record.pcs.length > 100, `${wanted}: ${output}`);
    assert.equal(record.outcome, "passed");
  }
  const shown = run(launcher, ["which", "vfs_read"]);
  assert.match(shown.output, /read_test\.ts: a file is read/);
});

/** Programs of the machine, of all JavaScript runtimes only this one. */
function onlyThisRuntime(): string {
  const bin = join(folder, "only");
  mkdirSync(bin);
  for (const from of ["/bin", "/usr/bin"]) {
    for (const name of readdirSync(from)) {
      if (/^(?:node|nodejs|npm|npx|corepack|deno|bun|bunx)$/.test(name)) continue;
      if (!existsSync(join(bin, name))) symlinkSync(join(from, name), join(bin, name));
    }
  }
  symlinkSync(process.execPath, join(bin, runtime));
  if (runtime === "bun") symlinkSync(process.execPath, join(bin, "bunx"));
  return bin;
}

test(
  "three documented commands give coverage in an empty folder that has this runtime alone",
  SLOW,
  () => {
    const text = readFileSync(join(root, "docs/set-up.md"), "utf8");
    const [, commands] = new RegExp(`<!-- commands: ${runtime} -->\\s+\`\`\`sh\\n([^]*?)\`\`\``)
      .exec(text)!;
    assert.equal(commands!.trim().split("\n").length, 3);
    const empty = mkdtempSync(join(tmpdir(), "kernelcov-empty-"));
    try {
      copyFileSync(packed, join(empty, "kernelcov-0.1.0.tgz"));
      const [, example] = /```ts\n(\/\/ pipe_test\.ts\n[^]*?)```/.exec(
        readFileSync(join(root, "README.md"), "utf8"),
      )!;
      writeFileSync(join(empty, "pipe_test.ts"), example!);
      const { KERNELCOV_RUNTIME: _runtime, ...rest } = env;
      const { status, stdout, stderr } = spawnSync("sh", ["-ec", commands!], {
        cwd: empty,
        encoding: "utf8",
        env: { ...rest, PATH: onlyThisRuntime() },
      });
      assert.equal(status, 0, stdout + stderr);
      const lcov = readFileSync(join(empty, "coverage/kernel/tests.info"), "utf8");
      assert.match(lcov, /^TN:\S*a_pipe_carries_bytes/m);
      assert.match(lcov, /^SF:.*\/fs\/pipe\.c$/m);
    } finally {
      rmSync(empty, { recursive: true });
    }
  },
);

test("a test file type-checks against the package", SLOW, () => {
  if (runtime === "deno") {
    const wrong = DENO_TEST.replace("cov.reached(", "cov.reaches(");
    writeFileSync(join(folder, "wrong_test.ts"), wrong);
    assert.equal(run(process.execPath, ["check", "read_test.ts"]).status, 0);
    assert.match(
      run(process.execPath, ["check", "wrong_test.ts"]).output,
      /'reaches' does not exist/,
    );
    return;
  }
  for (const name of ["bun-types", "@types", "undici-types"]) {
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
  const options = ["--noEmit", "--strict", "--module", "esnext", "--moduleResolution", "bundler"];
  const target = ["--target", "esnext", "--lib", "esnext", "--types", "bun-types"];
  const tsc = join(root, "node_modules/.bin/tsc");
  const { status, output } = run(tsc, [...options, ...target, "--skipLibCheck", "read_test.ts"]);
  assert.equal(status, 0, output);
  writeFileSync(join(folder, "wrong_test.ts"), BUN_TEST.replace("cov.reached(", "cov.reaches("));
  assert.match(
    run(tsc, [...options, ...target, "--skipLibCheck", "wrong_test.ts"]).output,
    /'reaches' does not exist/,
  );
});

/** Node.js from 24 on, where there is one; else an older one. */
function someNode(): { path: string; isNew: boolean } {
  const paths = [
    process.env.KERNELCOV_NODE ?? "",
    ...execFileSync("which", ["-a", "node"], { encoding: "utf8" }).split("\n"),
  ];
  for (const path of paths) {
    if (path === "") continue;
    const version = execFileSync(path, ["--version"], { encoding: "utf8" });
    if (parseInt(version.slice(1)) >= 24) return { path, isNew: true };
  }
  return { path: paths.find((path) => path !== "")!, isNew: false };
}

test(
  "Node.js asks and reports from 24 on, and one line says what is missing for the rest",
  SLOW,
  () => {
    const { path, isNew } = someNode();
    const data = join(root, "tests/data/fixed_run");
    const options = [
      "--run",
      join(data, "run"),
      "--vmlinux",
      join(data, "linux/vmlinux"),
      "--json",
    ];
    function onNode(...args: string[]) {
      return spawnSync("sh", [launcher, ...args], {
        cwd: folder,
        encoding: "utf8",
        env: { ...env, KERNELCOV_RUNTIME: "node", PATH: `${dirname(path)}:/usr/bin:/bin` },
      });
    }
    const asked = onNode("which", "pipe_write", ...options);
    if (!isNew) {
      assert.equal(asked.status, 2);
      assert.match(
        asked.stderr,
        /^kernelcov: Node\.js v[\d.]+ is too old: install .*Node\.js 24\n$/,
      );
      return;
    }
    assert.equal(asked.stderr, "");
    assert.deepEqual(
      JSON.parse(asked.stdout),
      JSON.parse(run(launcher, ["which", "pipe_write", ...options]).output),
    );
    const report = onNode(
      "report",
      join(data, "run"),
      "--vmlinux",
      join(data, "linux/vmlinux"),
      "--out",
      "on-node",
    );
    assert.equal(report.status, 0, report.stderr);
    assert.match(readFileSync(join(folder, "on-node/lcov.info"), "utf8"), /pipe\.c/);
    const recorded = onNode("test", "--", "true");
    assert.equal(recorded.status, 3);
    assert.match(recorded.stderr, /^kernelcov: test needs Deno or Bun, .*npm install -g bun\n$/);
  },
);
