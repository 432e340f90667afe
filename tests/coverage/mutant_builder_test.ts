/** How `npm run check:selection` changes a kernel's sources, and puts them back. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { MutantBuilder } from "../../scripts/checks/selection/mutant_kernel.ts";
import {
  changingFile,
  MutantResults,
  putBack,
  refuseBusyTree,
} from "../../scripts/checks/selection/mutant_results.ts";
import type { Mutant } from "../../scripts/checks/selection/mutants.ts";

const folder = mkdtempSync(join(tmpdir(), "kernelcov-mutants-"));
const cache = process.env["XDG_CACHE_HOME"];
process.env["XDG_CACHE_HOME"] = join(folder, "cache");
after(() => {
  if (cache === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = cache;
  rmSync(folder, { recursive: true });
});

const TEXT = "one\ntwo\nthree\n";
for (const name of ["a.c", "b.c"]) {
  mkdirSync(join(folder, "fs"), { recursive: true });
  writeFileSync(join(folder, "fs", name), TEXT);
}

function textOf(name: string): string {
  return readFileSync(join(folder, "fs", name), "utf8");
}

function mutantOf(name: string, before = "two"): Mutant {
  const place = { file: `fs/${name}`, line: 2, function: "f" };
  return { kind: "constant", ...place, before, after: "2" };
}

function builderOf(builds: string[][], isRight = true): MutantBuilder {
  return new MutantBuilder({
    tree: folder,
    linux: "",
    unchanged: "",
    recorded: { linux: "", vmlinux: "" },
    different: new Set(),
    rebuild(paths) {
      builds.push(
        paths.map((path) =>
          `${path.slice(folder.length + 4)} ${readFileSync(path, "utf8").split("\n")[1]}`
        ),
      );
      return Promise.resolve(isRight);
    },
  });
}

test("a mutant's file is built with the one of the mutant before, which is put back", async () => {
  const builds: string[][] = [];
  const builder = builderOf(builds);
  assert.equal(await builder.with(mutantOf("a.c"), () => textOf("a.c")), "one\n2\nthree\n");
  assert.equal(textOf("a.c"), TEXT);
  await builder.with(mutantOf("b.c"), () => undefined);
  await builder.with(mutantOf("b.c"), () => undefined);
  await builder.end();
  assert.deepEqual(builds, [["a.c 2"], ["b.c 2", "a.c two"], ["b.c 2"], ["b.c two"]]);
  assert.equal(textOf("b.c"), TEXT);
});

test("a mutant that does not compile, or a suite that cannot run, leaves no change", async () => {
  const run = (): never => assert.fail("not built");
  assert.equal(await builderOf([], false).with(mutantOf("a.c"), run), undefined);
  assert.equal(textOf("a.c"), TEXT);
  const problem = new RangeError("no kernel");
  await assert.rejects(
    builderOf([]).with(mutantOf("a.c"), () => {
      throw problem;
    }),
    problem,
  );
  assert.equal(textOf("a.c"), TEXT);
  await assert.rejects(builderOf([]).with(mutantOf("a.c", "other"), run), TypeError);
});

test("what a check was killed in is put back by the next one, and nothing while it runs", () => {
  const path = join(folder, "fs/a.c"), notes = join(folder, "cache/kernelcov/selection/changed");
  changingFile(path, TEXT);
  writeFileSync(path, "changed");
  putBack();
  assert.equal(textOf("a.c"), "changed");
  assert.throws(() => refuseBusyTree(folder), TypeError);
  refuseBusyTree(join(folder, "other"));
  // No process has a higher number.
  renameSync(join(notes, `${process.pid}.json`), join(notes, `${2 ** 22}.json`));
  putBack();
  assert.equal(textOf("a.c"), TEXT);
  writeFileSync(path, "of the user");
  putBack();
  assert.equal(textOf("a.c"), "of the user");
});

test("what became of a mutant is kept for the same kernel and suite", () => {
  new MutantResults("0123456789abcdef").add(mutantOf("a.c"), { kind: "not-built" });
  assert.deepEqual(new MutantResults("0123456789abcdef").of(mutantOf("a.c")), {
    kind: "not-built",
  });
  assert.equal(new MutantResults("0123456789abcdef").of(mutantOf("b.c")), undefined);
  assert.equal(new MutantResults("fedcba9876543210").of(mutantOf("a.c")), undefined);
});
