import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../../src/sys/runtime.ts";
import { buildEmbeddedKernel } from "../../../src/build/build_kernel.ts";
import { inWorkshop, PROGRAMS } from "../../_support/build_workshop.ts";
import { startKernelcov } from "../../_support/guest_run.ts";

const EMBEDDED = await buildEmbeddedKernel();
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** The kernel of the made-up tree is the embedded one; what a source has in place of C can be an error. */
const WATCH_PROGRAMS: Record<string, string> = {
  ...PROGRAMS,
  make: `case "$*" in
    *allnoconfig*) cp "$KCONFIG_ALLCONFIG" .config ;;
    *) grep -h error: fs/*.c >&2 && exit 2
       cp "${EMBEDDED.vmlinux}" vmlinux ;;
  esac`,
};

const TREE = {
  "Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n",
  "Kconfig": "",
  "arch/um/Kconfig": "",
  "kernel/kcov.c": "",
  "fs/pipe.c": "int pipe;\n",
  "fs/.pipe.o.cmd": "",
};

function testFile(names: readonly string[]): string {
  const tests = names.map((name) => `test("${name}", () => void readFileSync("/proc/version"));`);
  return [
    `import { readFileSync } from "node:fs";`,
    `import { test } from "node:test";`,
    ...tests,
    "",
  ].join("\n");
}

test("watch runs all tests, then a saved test file alone; compile errors are shown at once", () =>
  inWorkshop(WATCH_PROGRAMS, async ({ folder, env }) => {
    const tree = join(folder, "linux"), tests = join(folder, "tests");
    for (const [path, text] of Object.entries(TREE)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
    mkdirSync(tests);
    for (const name of ["one", "two"]) {
      writeFileSync(join(tests, `${name}_test.ts`), testFile([name]));
    }
    // What kbuild would have noted, in the mirror: the made-up make compiles nothing.
    const note = "savedcmd_fs/pipe.o := gcc -c -o fs/pipe.o fs/pipe.c\n\n" +
      "source_fs/pipe.o := fs/pipe.c\n\ndeps_fs/pipe.o := \\\n  fs/pipe.h \\\n\n";
    const make = `${WATCH_PROGRAMS["make"]}\nmkdir -p fs; cat >fs/.pipe.o.cmd <<'E'\n${note}E`;
    writeFileSync(join(folder, "bin/make"), `#!/bin/sh\n${make}\n`);
    const runner = runtimeName() === "deno"
      ? ["deno", "test", "-A", "--no-check", tests]
      : ["bun", "test", `${tests}/`];
    const watch = startKernelcov(
      ["watch", "--source", tree, "--out", join(folder, "out"), "--", ...runner],
      { env, cwd: ROOT },
    );
    await watch.printed("Waiting for changes");
    const lcov = readFileSync(join(folder, "out/lcov.info"), "utf8");
    assert.match(lcov, /^DA:\d+,[1-9]/m);

    writeFileSync(join(tests, "two_test.ts"), testFile(["two", "three", "four"]));
    await watch.printed("3 tests: 3 passed");
    writeFileSync(join(tree, "fs/pipe.c"), "fs/pipe.c:1:1: error: not C\n");
    await watch.printed("The kernel was not built");
    writeFileSync(join(tree, "fs/pipe.c"), "int pipe;\n");
    await watch.printed("The running kernel has been built from this text");
    watch.kill("SIGTERM");
    const { status, stdout, stderr } = await watch.ended;
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^two_test\.ts changed$|\/two_test\.ts changed$/m);
    assert.match(stdout, /^fs\/pipe\.c changed$/m);
    assert.match(stderr, /^fs\/pipe\.c:1:1: error: not C$/m);
    // The records of the other file's test are kept.
    assert.match(readFileSync(join(folder, "out/tests.json"), "utf8"), /"one"[^]*"three"/);
  }));
