import { groupNames } from "./find_source.ts";
import type { LineShare, RunCoverage } from "../run_coverage.ts";

/** A function that runs on two builds do not cover alike. */
export interface BuildFunctionDifference {
  readonly function: string;
  readonly file: string;
  /** `null` where the build has no such function with coverage points. */
  readonly a: LineShare | null;
  readonly b: LineShare | null;
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
export function functionShares(coverage: RunCoverage): Map<string, LineShare> {
  const { universe, universe: { functions, image } } = coverage;
  const shares = new Map<string, LineShare>();
  for (let group = 0; group < functions.groupLine.length; group++) {
    const share = coverage.lineShare(functions.groupLine[group], functions.groupLineEnd[group]);
    const file = image.files[functions.groupFile[group]];
    for (const name of groupNames(universe, group)) {
      // The number tells functions of one name apart, by a line that is another one's in the other build.
      const key = `${file}\n${name.replace(/@\d+$/, "")}`;
      const known = shares.get(key);
      shares.set(key, {
        lines: share.lines + (known?.lines ?? 0),
        linesHit: share.linesHit + (known?.linesHit ?? 0),
      });
    }
  }
  return shares;
}
