/** Of `which --diff --json`, what is read here. */
export interface PatchJson {
  readonly runAll: readonly unknown[];
  readonly incomplete: readonly unknown[];
  readonly hunks: readonly {
    readonly path: string;
    readonly line: number;
    readonly state: string;
    readonly reason: string;
    readonly functions: readonly string[];
    readonly lines: readonly number[];
    readonly uncovered: readonly number[];
    readonly verified: boolean;
  }[];
}

/** Whether tests run the lines that a patch changes. */
export interface ChangeCoverage {
  /** `no-lines`: nothing that the patch changes can be covered; `unknown`: some of it cannot be judged. */
  readonly verdict: "covered" | "partly covered" | "not covered" | "no-lines" | "unknown";
  /** Changed lines with coverage points, or those around an insertion. */
  readonly lines: number;
  readonly linesCovered: number;
  readonly hunks: readonly Omit<PatchJson["hunks"][number], "lines">[];
  readonly runAll: readonly unknown[];
}

/** The verdict on a patch, and its hunks, those with uncovered lines first. */
export function changeCoverage({ runAll, hunks }: PatchJson): ChangeCoverage {
  const changed = new Set<string>(), missed = new Set<string>();
  for (const { path, lines, uncovered } of hunks) {
    for (const line of lines) changed.add(`${path}:${line}`);
    for (const line of uncovered) missed.add(`${path}:${line}`);
  }
  const lines = changed.size, linesCovered = lines - missed.size;
  return {
    verdict: runAll.length > 0 || hunks.some(({ state }) => state === "run-all")
      ? "unknown"
      : lines === 0
      ? "no-lines"
      : missed.size === 0
      ? "covered"
      : linesCovered > 0
      ? "partly covered"
      : "not covered",
    lines,
    linesCovered,
    hunks: [...hunks].sort((a, b) => b.uncovered.length - a.uncovered.length)
      .map(({ path, line, state, reason, functions, uncovered, verified }) => ({
        path,
        line,
        state,
        reason,
        functions,
        uncovered,
        verified,
      })),
    runAll,
  };
}
