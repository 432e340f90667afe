import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { withPreload } from "../../src/runners/runner_command.ts";
import { assertSameRun, Corpus, runInCorpus } from "../_support/corpus.ts";
import { plainEnvironment } from "../_support/supervised.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "kernelcov-corpus-")));
after(() => rmSync(folder, { recursive: true }));

const SLOW = { timeout: 300_000 };
const plain = new Corpus(join(folder, "plain"), false);
const wrapped = new Corpus(join(folder, "wrapped"), true);
const env = { ...plainEnvironment(), KERNELCOV: "off" };

test("each runtime has sixty files and more", () => {
  assert.ok(plain.size >= 60, `${plain.size}`);
});

// Bun refuses test.only in CI.
for (const CI of ["true", "false"]) {
  test(`the runner reports the same of test.only with and without the hook, CI=${CI}`, SLOW, () => {
    const names = plain.invocations.flat().filter((name) => /only/.test(name));
    assert.ok(names.length >= 2);
    for (const name of names) {
      const without = runInCorpus(plain, plain.command([name]), { ...env, CI });
      const { command } = withPreload(plain.command([name]));
      assertSameRun(runInCorpus(plain, command, { ...env, CI }), without, "with the preload");
      const run = runInCorpus(wrapped, wrapped.command([name]), { ...env, CI });
      assertSameRun(run, without, "with wrapped bodies");
    }
  });
}

for (const [index, names] of plain.invocations.entries()) {
  const of = names.length === 1 ? names[0] : `${names.length} files`;
  test(`the runner reports the same with and without the hook: ${of}`, SLOW, () => {
    const without = runInCorpus(plain, plain.command(names), env);
    const { command } = withPreload(plain.command(names));
    assertSameRun(runInCorpus(plain, command, env), without, "with the preload");
    const own = wrapped.command(wrapped.invocations[index]!);
    assertSameRun(runInCorpus(wrapped, own, env), without, "with wrapped bodies");
  });
}
