import { textPatch } from "../../../src/coverage/patch/text_patch.ts";
import { whichPatch } from "../../../src/coverage/patch/patch_tests.ts";
import type { TestLookup } from "../../../src/coverage/questions/test_lookup.ts";
import { testReference } from "../../../src/report/answer_json.ts";
import type { MutantResult } from "./measures.ts";
import type { MutantRun } from "./mutant_results.ts";
import type { Mutant } from "./mutants.ts";
import type { SuiteRun } from "./suite_run.ts";

/** What became of a mutant. */
export type Fate =
  /** All tests ended. `failing` are those that fail alone. */
  | { readonly kind: "failed"; readonly result: MutantResult; readonly together: readonly string[] }
  /** Some did not end, and others may not have run: those that did not end count as failing, as do those that failed. */
  | { readonly kind: "ended"; readonly result: MutantResult }
  | { readonly kind: "survived" | "not-booted" | "not-built" | "only-together" };

/** Holds what `which --diff` selects for mutants against the tests that fail with them. */
export class MutantJudge {
  /** Names of the recorded tests that pass without a mutant, in the suite's order. */
  readonly tests: readonly string[];
  /** Those that are left out: they failed without a mutant, or have no record. */
  readonly leftOut: readonly string[];
  readonly #lookup: TestLookup;
  readonly #nameOf: (test: number) => string;

  constructor(lookup: TestLookup, base: SuiteRun) {
    this.#lookup = lookup;
    const { coverage } = lookup;
    this.#nameOf = (test) => {
      const { file, name } = testReference(coverage, test);
      return `${file}: ${name}`;
    };
    const recorded = new Set([...coverage.tests.keys()].map(this.#nameOf));
    this.tests = base.passed.filter((name) => recorded.has(name));
    this.leftOut = [...base.failed, ...base.passed.filter((name) => !recorded.has(name))];
  }

  /** @param before the text of the mutant's file without it */
  fateOf(mutant: Mutant, before: string, run: MutantRun): Fate {
    if (run.kind === "not-built") return run;
    const { passed, failed, begun, cut } = run.suite;
    if (begun.length === 0) return { kind: "not-booted" };
    const known = new Set(this.tests);
    const ended = new Set([...passed, ...failed]);
    const isWhole = this.tests.every((test) => ended.has(test));
    const failing = (isWhole ? run.alone : [...failed, ...cut])
      .filter((test) => known.has(test));
    if (!isWhole) return { kind: "ended", result: { failing, ...this.#order(mutant, before) } };
    const together = failed.filter((test) => known.has(test) && !failing.includes(test));
    if (failing.length === 0) return { kind: together.length > 0 ? "only-together" : "survived" };
    return { kind: "failed", result: { failing, ...this.#order(mutant, before) }, together };
  }

  #order(
    { file, line, after }: Mutant,
    before: string,
  ): { order: readonly string[]; selected: number } {
    const lines = before.split("\n");
    const changed = lines.with(line - 1, after).join("\n");
    const answer = whichPatch(this.#lookup, [textPatch(file, before, changed)], {
      side: "old",
      source: () => lines,
    });
    const known = new Set(this.tests);
    const selected = answer.runAll.length > 0
      ? this.tests
      : [...answer.tests.map(({ test }) => test), ...answer.incomplete].map(this.#nameOf)
        .filter((name) => known.has(name));
    const chosen = new Set(selected);
    const order = [...chosen, ...this.tests.filter((name) => !chosen.has(name))];
    return { order, selected: chosen.size };
  }
}
