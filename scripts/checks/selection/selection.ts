/**
 * Is the selection right? Makes small mutants of kernel functions that tests cover, builds the kernel with each, runs the
 * whole suite on it, and holds `which --diff` of the mutant against the tests that fail:
 *
 *   npm run check:selection [-- --mutants 30] [--seed 1] [--write]
 *
 * --write puts the table into docs/accuracy.md. Builds the tree's kernel once: some 4 CPU minutes. The tree is Debian's
 * 6.12 in the cache, or KERNELCOV_BENCH_TREE. --built DIR --make COMMAND takes a user-mode Linux tree that was built already,
 * and the command that builds it anew. The tree's files are put back. Exit status 1 where a test failed that was not
 * selected.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cacheFolder } from "../../../src/build/kernel_folder.ts";
import { whichPatch } from "../../../src/coverage/patch/patch_tests.ts";
import { TestLookup } from "../../../src/coverage/questions/test_lookup.ts";
import { testReference } from "../../../src/report/answer_json.ts";
import { loadRun } from "../../../src/run/load_run.ts";
import { markdownTable, plainTable, writeAccuracy } from "../accuracy_document.ts";
import { debianTree } from "../debian_tree.ts";
import { apfd, mean, type MutantResult, recall, share } from "./measures.ts";
import { builtMutants, type MutantKernel, treeMutants, withLine } from "./mutant_kernel.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const SUITE = ["examples", "scripts/checks/selection/suite"];
/** A suite takes some seconds; a mutant can make a test wait for ever. */
const TIME_LIMIT = "120";
/** A mutant of which more of the suite is selected is in a function that nearly every test runs. */
const HOT_SHARE = 0.5;

const { values } = parseArgs({
  options: {
    mutants: { type: "string", default: "30" },
    seed: { type: "string", default: "1" },
    write: { type: "boolean" },
    built: { type: "string" },
    make: { type: "string" },
  },
});
const wanted = Number(values.mutants), seed = Number(values.seed);

type Fate = MutantResult | "survived" | "crashed" | "not built";

const folder = mkdtempSync(join(tmpdir(), "kernelcov-selection-"));
try {
  await check();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function check(): Promise<void> {
  const kernel = await kernelToChange();
  const { linux, vmlinux } = kernel;
  const out = join(folder, "out");
  const recorded = kernelcov([
    ...["test", "--kernel", linux, "--vmlinux", vmlinux, "--out", out],
    ...["--", "deno", "test", "-A", "--no-check", ...SUITE],
  ]);
  if (recorded.status !== 0) {
    throw new TypeError(`The suite fails without a mutant:\n${recorded.stdout}${recorded.stderr}`);
  }
  const { coverage } = loadRun(join(out, "run"), { vmlinux });
  const lookup = new TestLookup(coverage);
  const nameOf = (test: number): string => {
    const { file, name } = testReference(coverage, test);
    return `${file}: ${name}`;
  };
  const all = [...coverage.tests.keys()].map(nameOf);
  const unchanged = runSuite(linux);
  if (unchanged === undefined || unchanged.failed.size > 0) {
    throw new TypeError("The suite fails without a mutant when it is not recorded");
  }
  const unknown = all.filter((name) => !unchanged.passed.has(name));
  if (unknown.length > 0) {
    throw new TypeError(`Tests have other names in the runner's report: ${unknown.join(", ")}`);
  }
  const results: { mutant: Mutant; fate: Fate }[] = [];
  const isResult = (fate: Fate): fate is MutantResult => typeof fate === "object";
  for (const mutant of mutantsOf(coverage, kernel.tree, seed)) {
    if (results.filter(({ fate }) => isResult(fate)).length >= wanted) break;
    const { file, line, after } = mutant;
    const fate = await withLine<Fate>(kernel, file, line, after, (patch, before) => {
      const answer = whichPatch(lookup, [patch], { side: "old", source: () => before });
      const selected = answer.runAll.length > 0
        ? all
        : [...answer.tests.map(({ test }) => test), ...answer.incomplete].map(nameOf);
      const chosen = new Set(selected);
      const order = [...selected, ...all.filter((name) => !chosen.has(name))];
      const ended = runSuite(kernel.linux);
      if (ended === undefined) return "crashed";
      const failing = order.filter((name) => !ended.passed.has(name));
      return failing.length === 0 ? "survived" : { failing, order, selected: selected.length };
    }) ?? "not built";
    results.push({ mutant, fate });
    console.log(`${placeOf(mutant)}: ${fateText(fate)}`);
    if (isResult(fate) && recall(fate) < 1) {
      const chosen = new Set(fate.order.slice(0, fate.selected));
      const missed = fate.failing.filter((name) => !chosen.has(name));
      console.log(`  not selected: ${missed.join(", ")}`);
      process.exitCode = 1;
    }
  }
  report(results, all.length);
}

function kernelToChange(): MutantKernel | Promise<MutantKernel> {
  const { built, make } = values;
  if (built !== undefined && make !== undefined) return builtMutants(resolve(built), make, folder);
  if (built !== undefined || make !== undefined) {
    throw new TypeError("--built DIR and --make COMMAND belong together: give both");
  }
  const own = process.env["KERNELCOV_BENCH_TREE"];
  return treeMutants(own ?? debianTree("6.12", join(cacheFolder(), "bench")));
}

/** Runs the suite on a kernel without recording it; `undefined` where it did not end, so that single tests cannot be told. */
function runSuite(linux: string): { passed: Set<string>; failed: Set<string> } | undefined {
  const { stdout } = kernelcov([
    ...["kernel", "run", "--kernel", linux, "--timeout", TIME_LIMIT, "--"],
    ...["deno", "test", "-A", "--no-check", "--quiet", "--reporter=junit", ...SUITE],
  ]);
  if (!stdout.includes("</testsuites>")) return undefined;
  const passed = new Set<string>(), failed = new Set<string>();
  const cases = /<testcase name="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([^]*?)<\/testcase>)/g;
  for (const [, name, file, body = ""] of stdout.matchAll(cases)) {
    const isFailed = /<(?:failure|error)\b/.test(body);
    (isFailed ? failed : passed).add(`${file.replace(/^\.\//, "")}: ${unescapeXml(name)}`);
  }
  return { passed, failed };
}

function unescapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replace(
    /&(?:(lt|gt|quot|apos)|#(\d+)|#x([0-9a-f]+));/gi,
    (_, name, number, hex) =>
      name ? named[name] : String.fromCodePoint(hex ? parseInt(hex, 16) : Number(number)),
  )
    .replaceAll("&amp;", "&");
}

function kernelcov(
  args: readonly string[],
): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, KERNELCOV_VMLINUX: "" };
  const program = join(ROOT, "src/cli/kernelcov");
  return spawnSync(program, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 28, env });
}

function placeOf({ kind, file, line, function: name }: Mutant): string {
  return `${kind} in ${name} (${file}:${line})`;
}

function fateText(fate: Fate): string {
  if (typeof fate === "string") return fate;
  const { failing, order, selected } = fate;
  return `${failing.length} failed; ${selected} of ${order.length} selected; recall ${
    recall(fate).toFixed(2)
  }, APFD ${apfd(fate).toFixed(3)}`;
}

function report(results: readonly { mutant: Mutant; fate: Fate }[], tests: number): void {
  const found = results.flatMap(({ fate }) => typeof fate === "object" ? [fate] : []);
  const hot = found.filter((fate) => share(fate) > HOT_SHARE);
  const others = found.filter((fate) => share(fate) <= HOT_SHARE);
  const row = (name: string, of: readonly MutantResult[]): string[] => [
    name,
    String(of.length),
    ...[recall, share, apfd].map((measure) => mean(of.map(measure))?.toFixed(3) ?? "-"),
  ];
  const table = [
    ["mutants", "number", "recall", "share of the suite", "APFD"],
    row("in functions that few tests run", others),
    row("in functions that most tests run", hot),
    row("all", found),
  ];
  const count = (wanted: Fate): number => results.filter(({ fate }) => fate === wanted).length;
  const rest =
    `Seed ${seed}, ${tests} tests. Of ${results.length} mutants ${found.length} made tests fail; ` +
    `${count("survived")} did not, with ${count("crashed")} the suite did not end, and ${
      count("not built")
    } did not compile.`;
  console.log(`\n${plainTable(table)}\n${rest}`);
  if (values.write) writeAccuracy("selection", `${markdownTable(table)}\n${rest}`);
}
