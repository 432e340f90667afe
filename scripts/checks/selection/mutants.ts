import { readFileSync } from "node:fs";
import { join } from "node:path";
import { groupAt, groupNames } from "../../../src/coverage/questions/find_source.ts";
import type { TestLookup } from "../../../src/coverage/questions/test_lookup.ts";

/** A small change of the kernel's source that can make it wrong. */
export interface Mutant {
  readonly kind: MutantKind;
  readonly file: string;
  readonly line: number;
  readonly function: string;
  readonly before: string;
  readonly after: string;
}

export type MutantKind = "condition" | "error" | "constant";

/** Each gives the changed line, or `undefined` where it does not apply. */
const OPERATORS: Readonly<Record<MutantKind, (line: string) => string | undefined>> = {
  condition(line) {
    const [, head, condition, tail] = /^(\s*(?:\} else )?if \()(.*)(\)(?: \{)?)$/.exec(line) ?? [];
    return condition === undefined || !isBalanced(condition)
      ? undefined
      : `${head}!(${condition})${tail}`;
  },
  error(line) {
    return changed(line, line.replace(/^(\s*(?:return|\w+ =) )-E[A-Z0-9]+;$/, "$10;"));
  },
  constant(line) {
    if (!/^\s*(?:return\b|[\w>.[\]-]+ (?:[-+|&]?=) ).*;$/.test(line)) return undefined;
    return changed(
      line,
      line.replace(
        /([-+] |[-+|&]?= |return )(\d+)\b/,
        (_, before, number) => `${before}${Number(number) + 1}`,
      ),
    );
  },
};

/** Code that every boot and every test goes through to no end of its own. */
const FOLDERS = /^(?:fs|net|ipc|mm\/shmem|kernel\/(?:exit|fork|signal|sys))/;

/** A line is hot that more than this share of the tests runs. */
export const HOT_SHARE = 0.25;

/** So many mutants of other lines come before one of a hot line. */
const BEFORE_HOT = 4;

/**
 * The mutants of lines that tests run, in an order that the seed makes: of each kind in turn, and one for each function.
 * Lines that run outside of tests too are only among the hot ones: with most of them changed the kernel does not start.
 *
 * @param different files of which the tree has another text than what was recorded
 */
export function mutantsOf(
  lookup: TestLookup,
  tree: string,
  seed: number,
  different: ReadonlySet<string> = new Set(),
): Mutant[] {
  const { coverage } = lookup;
  const { universe, lineHit, tests } = coverage;
  const { image, linePoints, fileLineStart } = universe;
  const apart = new Set([
    ...coverage.linesOfPoints(coverage.outside),
    ...coverage.linesOfPoints(coverage.baseline),
  ]);
  const few = noMutants(), hot = noMutants();
  for (const [file, path] of image.files.entries()) {
    if (!path.endsWith(".c") || !FOLDERS.test(path) || different.has(path)) continue;
    const lines = readLines(join(tree, path));
    for (let id = fileLineStart[file]; id < fileLineStart[file + 1]; id++) {
      if (linePoints[id] === 0 || lineHit[id] === 0) continue;
      const line = image.lineNumber[id], before = lines[line - 1] ?? "";
      const kinds = (Object.keys(OPERATORS) as MutantKind[])
        .filter((kind) => OPERATORS[kind](before) !== undefined);
      const group = kinds.length === 0 ? -1 : groupAt(universe, file, line);
      if (group < 0) continue;
      const isHot = lookup.testsOfLines(id, id + 1).length > HOT_SHARE * tests.length;
      if (!isHot && apart.has(id)) continue;
      const [name] = groupNames(universe, group);
      for (const kind of kinds) {
        const after = OPERATORS[kind](before)!;
        (isHot ? hot : few)[kind].push({ kind, file: path, line, function: name, before, after });
      }
    }
  }
  const random = randomOf(seed);
  for (const list of [...Object.values(few), ...Object.values(hot)]) shuffle(list, random);
  const others = alternating(Object.values(few));
  return alternating(Object.values(hot)).reduce((all: Mutant[], mutant, i) => {
    all.splice((i + 1) * (BEFORE_HOT + 1) - 1, 0, mutant);
    return all;
  }, others);
}

function noMutants(): Record<MutantKind, Mutant[]> {
  return { condition: [], error: [], constant: [] };
}

function alternating(lists: readonly Mutant[][]): Mutant[] {
  const functions = new Set<string>();
  const out: Mutant[] = [];
  const left = lists.map((list) => [...list]);
  while (left.some((list) => list.length > 0)) {
    for (const list of left) {
      let next = list.pop();
      while (next !== undefined && functions.has(`${next.file} ${next.function}`)) {
        next = list.pop();
      }
      if (next === undefined) continue;
      functions.add(`${next.file} ${next.function}`);
      out.push(next);
    }
  }
  return out;
}

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === "(") depth++;
    else if (character === ")" && --depth < 0) return false;
  }
  return depth === 0;
}

function changed(before: string, after: string): string | undefined {
  return before === after ? undefined : after;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return [];
  }
}

function shuffle<T>(list: T[], random: (limit: number) => number): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
}

/** Numbers below a limit, the same for the same seed. */
function randomOf(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
