/**
 * Is the selection right? Makes small mutants of kernel functions that tests cover, builds the kernel with each, runs the
 * whole suite on it, and holds `which --diff` of the mutant against the tests that fail:
 *
 *   npm run check:selection [-- --mutants 30] [--seed 1] [--limit 60] [--known] [--write]
 *
 * --write puts the table into docs/accuracy.md. Builds the tree's kernel once: some 4 CPU minutes. The tree is Debian's
 * 6.12 in the cache, or KERNELCOV_BENCH_TREE. --built DIR --make COMMAND takes a user-mode Linux tree that was built already
 * from the embedded kernel's sources, and the command that builds it anew; the suite is then recorded on the embedded
 * kernel. The tree's files are put back. What has been measured is kept in the cache: a check
 * that was ended goes on from there, and --known measures nothing, but says what of it there is. Exit status 1 where a
 * test that fails alone was not selected.
 *
 * --limit is how many seconds the suite may take: it takes some ten on a quiet machine, and some mutants make a test wait
 * for ever.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { cacheFolder } from "../../../src/build/kernel_folder.ts";
import { TestLookup } from "../../../src/coverage/questions/test_lookup.ts";
import { loadRun } from "../../../src/run/load_run.ts";
import { loadImageIndex } from "../../../src/symbolize/index/load_index.ts";
import { writeAccuracy } from "../accuracy_document.ts";
import { debianTree } from "../debian_tree.ts";
import { type Fate, MutantJudge } from "./judge_mutant.ts";
import { missed } from "./measures.ts";
import { builtMutants, MutantBuilder, type MutantKernel, treeMutants } from "./mutant_kernel.ts";
import { MutantResults, type MutantRun, putBack, refuseBusyTree } from "./mutant_results.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import { fateText, type JudgedMutant, placeOf, selectionReport } from "./selection_report.ts";
import { runAlone, runSuite, type SuiteKernel } from "./suite_run.ts";

/** So many of the mutants at most are tried for each that makes tests fail. */
const TRIES = 4;
/** Of so many failing tests it is looked at whether they fail alone. */
const MOST_ALONE = 40;

const { values } = parseArgs({
  options: {
    mutants: { type: "string", default: "30" },
    seed: { type: "string", default: "1" },
    limit: { type: "string", default: "60" },
    known: { type: "boolean" },
    write: { type: "boolean" },
    built: { type: "string" },
    make: { type: "string" },
  },
});
const wanted = Number(values.mutants), seed = Number(values.seed);

const folder = mkdtempSync(join(tmpdir(), "kernelcov-selection-"));
try {
  await check();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function check(): Promise<void> {
  putBack();
  const kernel = await kernelToChange();
  refuseBusyTree(kernel.tree);
  const { recorded: { linux, vmlinux }, unchanged } = kernel;
  const results = new MutantResults((await loadImageIndex(vmlinux)).buildId);
  const { coverage } = loadRun(results.recorded(linux, vmlinux), { vmlinux });
  const lookup = new TestLookup(coverage);
  const judge = new MutantJudge(lookup, results.base(suiteKernel(unchanged)));
  if (judge.leftOut.length > 0) console.log(`Left out: ${judge.leftOut.join(", ")}`);
  const builder = new MutantBuilder(kernel);
  const judged: JudgedMutant[] = [];
  for (const mutant of mutantsOf(lookup, kernel.tree, seed, kernel.different)) {
    const found = judged.filter(({ fate }) => fate.kind === "failed").length;
    if (found >= wanted || judged.length >= wanted * TRIES) break;
    let run = results.of(mutant);
    if (run === undefined) {
      if (values.known) continue;
      run = await measure(builder, mutant, judge.tests);
      results.add(mutant, run);
    }
    const text = readFileSync(join(kernel.tree, mutant.file), "utf8");
    const fate = judge.fateOf(mutant, text, run);
    judged.push({ mutant, fate });
    say(mutant, fate, run);
  }
  await builder.end();
  const report = selectionReport(judged, judge, seed);
  console.log(`\n${report.text}`);
  if (values.write) writeAccuracy("selection", report.markdown);
}

async function measure(
  builder: MutantBuilder,
  mutant: Mutant,
  tests: readonly string[],
): Promise<MutantRun> {
  return await builder.with(mutant, (build): MutantRun => {
    const kernel = suiteKernel(builder.kernel.linux);
    const started = performance.now();
    const suite = runSuite(kernel, tests);
    const ended = performance.now();
    const suspects = suite.failed.slice(0, MOST_ALONE);
    const alone = suspects.length === 0 ? [] : runAlone(kernel, suspects).failed;
    const seconds = {
      build,
      suite: (ended - started) / 1000,
      alone: (performance.now() - ended) / 1000,
    };
    return { kind: "ran", suite, alone, seconds };
  }) ?? { kind: "not-built" };
}

function suiteKernel(linux: string): SuiteKernel {
  return { linux, limitSeconds: Number(values.limit) };
}

function say(mutant: Mutant, fate: Fate, run: MutantRun): void {
  const took = run.kind === "ran"
    ? ` (${Object.values(run.seconds).map((number) => number.toFixed(0)).join(" + ")} s)`
    : "";
  console.log(`${placeOf(mutant)}: ${fateText(fate)}${took}`);
  if (fate.kind !== "failed") return;
  const lost = missed(fate.result);
  if (lost.length === 0) return;
  console.log(`  not selected: ${lost.join(", ")}`);
  process.exitCode = 1;
}

function kernelToChange(): MutantKernel | Promise<MutantKernel> {
  const { built, make, known } = values;
  if ((built === undefined) !== (make === undefined)) {
    throw new TypeError("--built DIR and --make COMMAND belong together: give both");
  }
  if (built !== undefined) return builtMutants(resolve(built), known ? undefined : make, folder);
  const own = process.env["KERNELCOV_BENCH_TREE"];
  return treeMutants(own ?? debianTree("6.12", join(cacheFolder(), "bench")));
}
