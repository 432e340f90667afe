import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { COLLECTORS, RECORDER_VARIABLE } from "../../src/kcov/recorder.ts";
import { readRun } from "../../src/record/read_run.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { withPreload } from "../../src/runners/runner_command.ts";
import { parseRunnerReport } from "../../src/runners/runner_report.ts";
import { settleOutcomes } from "../../src/runners/settle_outcomes.ts";
import { supervisedCommand } from "../../src/tracer/supervised_command.ts";
import { assertSameRun, Corpus, runInCorpus } from "../_support/corpus.ts";
import { plainEnvironment, RECORDERS } from "../_support/supervised.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "kernelcov-corpus-")));
after(() => rmSync(folder, { recursive: true }));

/** Tests whose body does not run, and Deno's name for suites of node:test. */
const WITHOUT_RECORD: Readonly<Record<string, readonly string[]>> = {
  bun: ["suite > (unnamed)", "suite > does not run"],
  deno: ["does not run", "is not reached", "outer", "outer > inner"],
};

const SLOW = { timeout: timeLimit(900_000) };
const plain = new Corpus(join(folder, "plain"), false);
const wrapped = new Corpus(join(folder, "wrapped"), true);
const env = plainEnvironment();
const without = runInCorpus(plain, plain.command(plain.joined), env);

test("the runner reports the same while all threads and processes are recorded", SLOW, () => {
  const runDirectory = join(folder, "tree");
  const report = join(folder, "report.xml");
  const { command } = withPreload(plain.command(plain.joined), report);
  const collects = RECORDERS[0] === "collectors";
  const run = collects
    ? command
    : supervisedCommand({ command, runDirectory, mode: "auto", record: false });
  const recorded = {
    ...env,
    KERNELCOV_RUN: runDirectory,
    ...(collects ? { [RECORDER_VARIABLE]: COLLECTORS } : {}),
  };
  assertSameRun(runInCorpus(plain, run, recorded), without, "with the preload");

  const reported = parseRunnerReport(readFileSync(report, "utf8"));
  settleOutcomes(runDirectory, new Set(), report);
  const records = readRun(runDirectory).records.filter(({ kind }) => kind === "test");
  assert.ok(records.length > 100, `${records.length}`);
  const sameTest = ({ name }: { name: string }): string => name;
  const ours = Map.groupBy(records, sameTest);
  const unrecorded: string[] = [];
  let compared = 0;
  for (const [test, theirs] of Map.groupBy(reported, sameTest)) {
    const own = ours.get(test) ?? [];
    const ran = theirs.filter(({ outcome }) => outcome !== "skipped");
    // A body that was tried again has several.
    if (own.length < ran.length) unrecorded.push(test);
    if (own.length !== theirs.length) continue;
    for (const [index, { outcome }] of theirs.entries()) {
      if (outcome === "skipped") continue;
      assert.equal(own[index]!.outcome, outcome, test);
      compared++;
    }
  }
  assert.deepEqual(unrecorded.sort(), WITHOUT_RECORD[runtimeName()]);
  assert.ok(compared > 100, `${compared}`);
});

test("the runner reports the same while bodies record their threads", SLOW, () => {
  const runDirectory = join(folder, "thread");
  const required = { ...env, KERNELCOV: "require", KERNELCOV_RUN: runDirectory };
  // Deno's files that stand apart take a second each in a user-mode kernel, where they run once already.
  const files = runtimeName() === "deno" ? wrapped.joined.slice(0, 1) : wrapped.joined;
  const expected = runtimeName() === "deno"
    ? runInCorpus(plain, plain.command(files), env)
    : without;
  const run = runInCorpus(wrapped, wrapped.command(files), required);
  assertSameRun(run, expected, "with wrapped bodies");
  assert.ok(readRun(runDirectory).records.length > 100);
});
