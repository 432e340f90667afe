import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../../src/sys/runtime.ts";
import { buildEmbeddedKernel } from "../../../src/build/build_kernel.ts";
import { inWorkshop, PROGRAMS } from "../../_support/build_workshop.ts";
import { KERNELCOV, runtimeEnvironment, startKernelcov } from "../../_support/guest_run.ts";

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

/** A tree, and the tests `one` and `two`, in files of their own. */
function session(folder: string): { tree: string; tests: string; runner: string[] } {
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
  return { tree, tests, runner };
}

/** What appears on a terminal. */
class Screen {
  #text = "";
  #ended = false;
  #wake: () => void = () => {};

  constructor(output: Readable) {
    output.on("data", (bytes) => {
      this.#text += bytes;
      this.#wake();
    });
    output.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** All that has appeared since the last call, when there is `text` in it; `undefined` waits for the end. */
  async until(text: string | undefined): Promise<string> {
    for (;;) {
      const at = text === undefined ? -1 : this.#text.indexOf(text);
      const end = at < 0 ? this.#text.length : at + text!.length;
      if (at >= 0 || this.#ended) {
        const taken = this.#text.slice(0, end);
        this.#text = this.#text.slice(end);
        assert.ok(at >= 0 || text === undefined, `No ${text} in: ${taken}`);
        return taken;
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}

test("watch runs all tests, then a saved test file alone; compile errors are shown at once", () =>
  inWorkshop(WATCH_PROGRAMS, async ({ folder, env }) => {
    const { tree, tests, runner } = session(folder);
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
    // The made-up make has the same kernel for every text.
    writeFileSync(join(tree, "fs/pipe.c"), "int other;\n");
    await watch.printed("The kernel is the same with this change");
    watch.kill("SIGTERM");
    const { status, stdout, stderr } = await watch.ended;
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^two_test\.ts changed$|\/two_test\.ts changed$/m);
    assert.match(stdout, /^fs\/pipe\.c changed$/m);
    assert.match(stderr, /^fs\/pipe\.c:1:1: error: not C$/m);
    // The records of the other file's test are kept.
    assert.match(readFileSync(join(folder, "out/tests.json"), "utf8"), /"one"[^]*"three"/);
  }));

/** A session on a terminal, from script(1), which tells at the end the exit status and how the terminal is set then. */
function inTerminal(
  folder: string,
  env: Record<string, string>,
  options: readonly string[],
  runner: readonly string[],
) {
  const words = ["watch", ...options, "--out", join(folder, "out"), "--", ...runner];
  const command = `${KERNELCOV} ${words.join(" ")}; echo status $?; stty -a`;
  return spawn("script", ["-qec", command, "/dev/null"], {
    cwd: ROOT,
    env: { ...runtimeEnvironment(), ...env, SHELL: "/bin/sh" },
    stdio: ["pipe", "pipe", "inherit"],
  });
}

test("on a terminal keys run all tests, failed ones, those of a name and the last ones, and end it", () =>
  inWorkshop(WATCH_PROGRAMS, async ({ folder, env }) => {
    const { tree, tests, runner } = session(folder);
    const failing =
      `import { test } from "node:test";\ntest("two", () => { throw new Error("no"); });\n`;
    writeFileSync(join(tests, "two_test.ts"), failing);
    const terminal = inTerminal(folder, env, ["--source", tree], runner);
    const screen = new Screen(terminal.stdout);
    const first = await screen.until("Waiting for changes");
    assert.match(first, /2 tests: 1 passed, 1 failed/);
    assert.match(await screen.until("quit)"), /a: all tests; f: failed ones; p: by name/);
    const press = async (keys: string, text = "Waiting for changes"): Promise<string> => {
      terminal.stdin.write(keys);
      return await screen.until(text);
    };
    const onlyTwo = / failed {2}.*two_test\.ts: two\r*\n1 test: 0 passed, 1 failed/;
    assert.match(await press("f"), onlyTwo);
    await press("p", "Part of a test's name, or a regular expression: ");
    assert.match(await press("onx\x7fe\r"), /1 test: 1 passed\r*\n/);
    assert.match(await press("\r"), /1 test: 1 passed\r*\n/);
    assert.match(await press("pnone\r"), /No test's name has none in it/);
    assert.match(await press("a"), /2 tests: 1 passed, 1 failed/);
    terminal.stdin.write("q");
    const last = await screen.until(" icanon");
    assert.match(last, /status 0\r*\n/);
    terminal.stdin.end();
    assert.match(await screen.until(undefined), / echo /);
  }));

test("q ends a session whose test hangs, and gives the terminal back", () =>
  inWorkshop(WATCH_PROGRAMS, async ({ folder, env }) => {
    const { tests, runner } = session(folder);
    const terminal = inTerminal(folder, env, ["--kernel", EMBEDDED.path], runner);
    const screen = new Screen(terminal.stdout);
    await screen.until("quit)");
    const hangs = `import { test } from "node:test";
      test("two", { timeout: 100_000 }, () => new Promise(() => {
        console.log("it hangs");
        setInterval(() => {}, 1000);
      }));
    `;
    writeFileSync(join(tests, "two_test.ts"), hangs);
    await screen.until("it hangs");
    terminal.stdin.write("q");
    const last = await screen.until(" icanon");
    assert.match(last, /The run was ended by SIGTERM while .*two.* ran/);
    assert.match(last, /status 0\r*\n/);
    terminal.stdin.end();
    await screen.until(undefined);
  }));
