import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CompiledUnits } from "../../../src/build/tree/compiled_units.ts";
import type { QuickBuild } from "../../../src/build/tree/quick_build.ts";
import { FILES, Mirror } from "./made_build.ts";

function sourcesOf(build: QuickBuild): readonly string[] {
  assert.equal(build.kind, "built", JSON.stringify(build));
  return build.kind === "built" ? build.sources : [];
}

test("only what depends on a changed file is compiled, and the table is that of the image", async () => {
  using mirror = await Mirror.made();
  mirror.write("fs/value.c", `#include "value.h"\nint value(void) { return VALUE + 1; }\n`);
  assert.deepEqual(sourcesOf(await mirror.build("fs/value.c")), ["fs/value.c"]);
  assert.equal(mirror.run("./vmlinux"), "2 1\n");
  mirror.write("fs/value.h", "#define VALUE 40\n");
  assert.deepEqual(sourcesOf(await mirror.build("fs/value.h")), ["fs/value.c"]);
  assert.equal(mirror.run("./vmlinux"), "41 1\n");
});

test("the image is linked again only where symbols have moved", async () => {
  using mirror = await Mirror.made();
  await mirror.build("fs/value.c");
  mirror.write("fs/value.h", "#define VALUE 7\n");
  assert.equal(await mirror.links(() => mirror.build("fs/value.h")), 1);
  assert.equal(mirror.run("./vmlinux"), "7 1\n");
  mirror.write("fs/value.c", "int before(void) { return 0; }\nint value(void) { return 8; }\n");
  assert.equal(await mirror.links(() => mirror.build("fs/value.c")), 2);
  assert.equal(mirror.run("./vmlinux"), "8 1\n");
});

test("what a file depends on is noted anew with each compilation", async () => {
  using mirror = await Mirror.made();
  mirror.write("fs/other.h", "#define OTHER 5\n");
  mirror.write("fs/value.c", `#include "other.h"\nint value(void) { return OTHER; }\n`);
  await mirror.build("fs/value.c");
  assert.deepEqual(sourcesOf(await mirror.build("fs/value.h")), []);
  mirror.write("fs/other.h", "#define OTHER 6\n");
  assert.deepEqual(sourcesOf(await mirror.build("fs/other.h")), ["fs/value.c"]);
  assert.equal(mirror.run("./vmlinux"), "6 1\n");
});

test("a compile error is the compiler's message, and no object is left that make would keep", async () => {
  using mirror = await Mirror.made();
  mirror.write("fs/value.c", "int value(void) { return }\n");
  const failed = await mirror.build("fs/value.c");
  assert.equal(failed.kind, "failed");
  assert.match(failed.kind === "failed" ? failed.output : "", /fs\/value\.c:1:\d+: error: /);
  assert.equal(existsSync(join(mirror.folder, "fs/value.o")), false);
  mirror.write("fs/value.c", FILES["fs/value.c"]);
  assert.deepEqual(sourcesOf(await mirror.build("fs/value.c")), ["fs/value.c"]);
  assert.equal(mirror.run("./vmlinux"), "1 1\n");
});

test("what not only objects depend on is left to make, as are many objects", async () => {
  using mirror = await Mirror.made();
  const note = "savedcmd_scripts/mk := gcc -o scripts/mk scripts/mk.c\n\n" +
    "source_scripts/mk := scripts/mk.c\n\ndeps_scripts/mk := \\\n  fs/value.h \\\n";
  mirror.write("scripts/.mk.cmd", note);
  for (let at = 0; at < 65; at++) {
    const object = `net/u${at}.o`;
    mirror.write(
      `net/.u${at}.o.cmd`,
      `savedcmd_${object} := true\n\nsource_${object} := net/u${at}.c\n\ndeps_${object} := \\\n  net/all.h \\\n`,
    );
  }
  mirror.units = new CompiledUnits(mirror.folder);
  const reasons = await Promise.all(
    ["fs/value.h", "net/all.h", "arch/um/Kconfig"].map((file) => mirror.build(file)),
  );
  assert.deepEqual(
    reasons.map((build) => build.kind === "unable" ? build.reason : build.kind),
    [
      "more than objects depends on fs/value.h",
      "65 objects depend on it",
      "arch/um/Kconfig is no C file",
    ],
  );
});

test("where a header's inline function has changed only what uses it is compiled", async () => {
  using mirror = await Mirror.made();
  const header = (value: number): string =>
    `static inline int one(void)\n{\n\treturn ${value};\n}\nstatic inline int two(void)\n{\n\treturn 2;\n}\n`;
  mirror.write("fs/inline.h", header(1));
  mirror.write("fs/value.c", `#include "inline.h"\nint value(void) { return one(); }\n`);
  mirror.write("fs/main.c", `#include "inline.h"\n${FILES["fs/main.c"]}`);
  await mirror.build("fs/value.c", "fs/main.c");
  mirror.write("fs/inline.h", header(30));
  const build = await mirror.buildInlines("fs/inline.h", ["one"]);
  assert.deepEqual(sourcesOf(build), ["fs/value.c"]);
  assert.equal(mirror.run("./vmlinux"), "30 1\n");
  assert.deepEqual(sourcesOf(await mirror.buildInlines("fs/inline.h", ["two"])), []);
  assert.deepEqual(sourcesOf(await mirror.build("fs/inline.h")).toSorted(), [
    "fs/main.c",
    "fs/value.c",
  ]);
});
