import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import {
  errorLines,
  estimateBuild,
  formatDuration,
  formatProgress,
  formatStage,
  isCompiledFile,
  isLinkStep,
  ProgressLine,
} from "../../src/build/build_progress.ts";

class Screen extends Writable {
  text = "";
  isTTY: boolean;
  columns = 20;
  constructor(isTTY: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }
  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

test("formatDuration gives minutes and two digits of seconds", () => {
  assert.deepEqual([0, 9.6, 60, 3599].map(formatDuration), ["0:00", "0:10", "1:00", "59:59"]);
});

test("the estimate shrinks with the processors and never promises nothing", () => {
  assert.match(estimateBuild(1), /minutes on one processor$/);
  assert.match(estimateBuild(64), /^about a minute on 64 processors$/);
});

test("progress names files, time, and what is left once it can be known", () => {
  const state = { expected: 900, resumed: 0, preparation: 10, linking: false };
  assert.equal(
    formatProgress({ ...state, done: 3, seconds: 8 }),
    "Building the kernel: file 3 of 900, 0:08",
  );
  assert.equal(
    formatProgress({ ...state, done: 300, seconds: 70 }),
    "Building the kernel: file 300 of 900, 1:10, about 2:00 left",
  );
  assert.equal(
    formatProgress({ ...state, done: 905, seconds: 180 }),
    "Building the kernel: file 905, 3:00",
  );
  assert.equal(
    formatProgress({ ...state, done: 898, seconds: 180, linking: true }),
    "Building the kernel: file 898 of 900, 3:00, linking",
  );
});

test("a resumed build judges its speed by the files of this time", () => {
  assert.equal(
    formatProgress({
      done: 800,
      expected: 900,
      resumed: 700,
      seconds: 32,
      preparation: 2,
      linking: false,
    }),
    "Building the kernel: file 800 of 900, 0:32, about 0:30 left",
  );
});

test("a terminal has one line rewritten and cut to its width, then cleared", () => {
  const screen = new Screen(true);
  const line = new ProgressLine(screen);
  line.update("x".repeat(50), 0);
  line.update("too soon", 50);
  line.update("b", 200);
  line.say("done");
  assert.equal(screen.text, `\r\x1b[K${"x".repeat(19)}\r\x1b[Kb\r\x1b[Kdone\n`);
});

test("a log gets whole lines at times", () => {
  const screen = new Screen(false);
  const line = new ProgressLine(screen, 1000);
  for (let now = 0; now < 3000; now += 250) line.update(`at ${now}`, now);
  line.clear();
  assert.equal(screen.text, "at 0\nat 1000\nat 2000\n");
});

test("a log gets a line every five seconds, from the first moment on", async () => {
  const screen = new Screen(false);
  const line = new ProgressLine(screen);
  for (let now = 0; now <= 10_000; now += 1000) {
    line.update(formatStage("Unpacking", now / 1000), now);
  }
  assert.equal(screen.text, "Unpacking, 0:00\nUnpacking, 0:05\nUnpacking, 0:10\n");
  const work = new Screen(true);
  assert.equal(await new ProgressLine(work).during(() => "at work", Promise.resolve(7)), 7);
  assert.equal(work.text, "\r\x1b[Kat work\r\x1b[K");
  await assert.rejects(
    new ProgressLine(work).during(() => "", Promise.reject(new TypeError("no"))),
  );
});

test("isCompiledFile counts compiled and assembled files of the kernel, not those of host tools", () => {
  assert.equal(isCompiledFile("  CC      fs/pipe.o"), true);
  assert.equal(isCompiledFile("  AS      arch/x86/um/setjmp_64.o"), true);
  assert.equal(isCompiledFile("  HOSTCC  scripts/basic/fixdep"), false);
  assert.equal(isCompiledFile("  AR      fs/built-in.a"), false);
});

test("isLinkStep knows when all files are compiled", () => {
  assert.equal(isLinkStep("  AR      vmlinux.a"), true);
  assert.equal(isLinkStep("  LD      vmlinux.o"), true);
  assert.equal(isLinkStep("  AR      fs/built-in.a"), false);
  assert.equal(isLinkStep("  CC      fs/pipe.o"), false);
});

test("errorLines picks the compiler's errors out of everything else", () => {
  const log = [
    "  CC      fs/pipe.o",
    "fs/pipe.c:10:5: warning: unused variable [-Wunused]",
    "fs/pipe.c:12:1: error: expected ';' before 'return'",
    "make[3]: *** [scripts/Makefile.build:229: fs/pipe.o] Error 1",
    "make: *** [Makefile:236: __sub-make] Error 2",
  ].join("\n");
  assert.deepEqual(errorLines(log), ["fs/pipe.c:12:1: error: expected ';' before 'return'"]);
});

test("errorLines falls back to make's own errors, then to the last lines", () => {
  assert.deepEqual(errorLines("  CC a.o\nmake: *** No rule to make target 'x'.  Stop."), [
    "make: *** No rule to make target 'x'.  Stop.",
  ]);
  assert.deepEqual(errorLines("one\ntwo\nthree\n", 2), ["two", "three"]);
});
