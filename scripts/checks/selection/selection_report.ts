import { markdownTable, plainTable } from "../accuracy_document.ts";
import type { Fate, MutantJudge } from "./judge_mutant.ts";
import { apfd, mean, type MutantResult, randomApfd, recall, share } from "./measures.ts";
import { HOT_SHARE, type Mutant } from "./mutants.ts";

export interface JudgedMutant {
  readonly mutant: Mutant;
  readonly fate: Fate;
}

export function placeOf({ kind, file, line, function: name }: Mutant): string {
  return `${kind} in ${name} (${file}:${line})`;
}

export function fateText(fate: Fate): string {
  if (fate.kind !== "failed" && fate.kind !== "ended") return fate.kind;
  const { failing, order, selected } = fate.result;
  if (failing.length === 0) return "ended before a test ran";
  return `${failing.length} ${
    fate.kind === "ended" ? "did not end or " : ""
  }failed; ${selected} of ${order.length} selected; recall ${
    recall(fate.result).toFixed(2)
  }, APFD ${apfd(fate.result).toFixed(3)}`;
}

/** The tables of a check, as text and for docs/accuracy.md. */
export function selectionReport(
  judged: readonly JudgedMutant[],
  { tests, leftOut }: MutantJudge,
  seed: number,
): { text: string; markdown: string } {
  const resultsOf = (kind: "failed" | "ended"): MutantResult[] =>
    judged.flatMap(({ fate }) =>
      fate.kind === kind && fate.result.failing.length > 0 ? [fate.result] : []
    );
  const failed = resultsOf("failed"), ended = resultsOf("ended");
  const row = (name: string, of: readonly MutantResult[]): string[] => [
    name,
    String(of.length),
    String(of.reduce((sum, { failing }) => sum + failing.length, 0)),
    ...[recall, share, apfd, randomApfd].map((measure) => mean(of.map(measure))?.toFixed(3) ?? "-"),
  ];
  const table = [
    ["mutants", "number", "failing tests", "recall", "share of the suite", "APFD", "at random"],
    row(
      `of lines that up to ${100 * HOT_SHARE} % of the tests run`,
      failed.filter((result) => share(result) <= HOT_SHARE),
    ),
    row("of lines that more tests run", failed.filter((result) => share(result) > HOT_SHARE)),
    row("all of them", failed),
    row("that ended the kernel or a process", ended),
  ];
  const count = (kind: Fate["kind"]): number =>
    judged.filter(({ fate }) => fate.kind === kind).length;
  const together = judged.reduce(
    (sum, { fate }) => sum + (fate.kind === "failed" ? fate.together.length : 0),
    0,
  );
  const rest = [
    `Seed ${seed}, ${tests.length} tests. Of ${judged.length} mutants ${
      count("failed")
    } made tests fail that fail alone too; ${
      count("ended")
    } ended the kernel or a test's process, or made it wait for ever; ` +
    `${count("survived")} made no test fail, ${
      count("only-together")
    } only tests that pass alone; with ${count("not-booted")} the kernel did not start, and ${
      count("not-built")
    } did not compile.`,
    ...(together > 0
      ? [`${together} more tests failed that pass alone; they are not counted.`]
      : []),
    ...(leftOut.length > 0
      ? [`Left out, as they fail without a mutant or have no record: ${leftOut.join(", ")}.`]
      : []),
  ].join("\n");
  return {
    text: `${plainTable(table)}\n${rest}`,
    markdown: `${markdownTable(table)}\n${rest}\n\n${markdownTable(mutantTable(judged))}`,
  };
}

function mutantTable(judged: readonly JudgedMutant[]): string[][] {
  return [
    ["mutant", "failing", "selected", "recall", "APFD"],
    ...judged.map(({ mutant, fate }) => {
      if (fate.kind !== "failed" && fate.kind !== "ended") {
        return [placeOf(mutant), fate.kind, "", "", ""];
      }
      const { result } = fate;
      const { failing, selected } = result;
      return [
        placeOf(mutant),
        `${failing.length}${fate.kind === "ended" ? ", ended" : ""}`,
        String(selected),
        ...(failing.length === 0 ? ["", ""] : [recall(result).toFixed(2), apfd(result).toFixed(3)]),
      ];
    }),
  ];
}
