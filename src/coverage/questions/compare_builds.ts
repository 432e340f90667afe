import { groupNames } from "./find_source.ts";
import type { RunCoverage } from "../run_coverage.ts";

/** How much of a function one build's run covered. */
export interface FunctionShare {
  /** Lines of the function that can be covered. */
  readonly lines: number;
  readonly linesHit: number;
}

/** A function that runs on two builds do not cover alike. */
export interface BuildFunctionDifference {
  readonly function: string;
  readonly file: string;
  /** `null` where the build has no such function with coverage points. */
  readonly a: FunctionShare | null;
  readonly b: FunctionShare | null;
}

/** Two runs on two kernel builds, compared: lines have other numbers there, functions keep their names. */
export interface BuildDifference {
  /** Functions that were entered. */
  readonly entered: { readonly onlyA: number; readonly onlyB: number; readonly both: number };
  /** Those of which one entered nothing, or another share of the lines; ordered by file and name. */
  readonly functions: readonly BuildFunctionDifference[];
}

/** What runs on two builds cover of each function. */
export function compareBuilds(a: RunCoverage, b: RunCoverage): BuildDifference {
  const sharesA = functionShares(a), sharesB = functionShares(b);
  const entered = { onlyA: 0, onlyB: 0, both: 0 };
  const functions: BuildFunctionDifference[] = [];
  for (const key of [...new Set([...sharesA.keys(), ...sharesB.keys()])].sort()) {
    const shareA = sharesA.get(key) ?? null, shareB = sharesB.get(key) ?? null;
    const hitA = shareA?.linesHit ?? 0, hitB = shareB?.linesHit ?? 0;
    if (hitA === 0 && hitB === 0) continue;
    entered[hitA === 0 ? "onlyB" : hitB === 0 ? "onlyA" : "both"]++;
    if (hitA === hitB && shareA?.lines === shareB?.lines) continue;
    const [file, name] = key.split("\n") as [string, string];
    functions.push({ function: name, file, a: shareA, b: shareB });
  }
  return { entered, functions };
}

/** Lines of each function, by file and name. Functions of one name in one file are taken together. */
function functionShares({ universe, lineTests }: RunCoverage): Map<string, FunctionShare> {
  const { functions, image, linePoints } = universe;
  const shares = new Map<string, { lines: number; linesHit: number }>();
  for (let group = 0; group < functions.groupLine.length; group++) {
    let lines = 0, linesHit = 0;
    const end = functions.groupLineEnd[group];
    for (let line = functions.groupLine[group]; line < end; line++) {
      if (linePoints[line] === 0) continue;
      lines++;
      if (lineTests[line] !== 0) linesHit++;
    }
    const file = image.files[functions.groupFile[group]];
    for (const name of groupNames(universe, group)) {
      // The number tells functions of one name apart, by a line that is another one's in the other build.
      const key = `${file}\n${name.replace(/@\d+$/, "")}`;
      const known = shares.get(key);
      if (known === undefined) shares.set(key, { lines, linesHit });
      else {
        known.lines += lines;
        known.linesHit += linesHit;
      }
    }
  }
  return shares;
}
