import type { ComparisonTally } from "../../kcov/comparisons/comparison_tally.ts";
import type { DecodedPcs } from "../../kcov/decode_pcs.ts";
import type { OriginTally } from "../../kcov/origin_tally.ts";
import type { BegunTest, TestOutcome, TestRecord } from "../../record/test_record.ts";
import { runtimeName } from "../../sys/runtime.ts";
import type { Segment } from "./collector_set.ts";
import type { Recording } from "./recorder.ts";

/** What was collected of a test: points, or comparisons. */
export type CollectedResult =
  & Pick<DecodedPcs, "pcs" | "origins" | "comparisons">
  & Pick<TestRecord, "firstRuns">;

/** A test that collectors record. */
export class CollectedTest implements Recording {
  readonly begun: BegunTest;
  /** The test that this one is a step of. */
  readonly parent: CollectedTest | null;
  /** The stretches of time in which it was open. */
  readonly segments: Segment<CollectedTest>[] = [];
  /** Where its points are gathered; absent when it has ended. */
  tally: OriginTally | undefined;
  /** Where its comparisons are gathered, if these are recorded in place of points. */
  compared: ComparisonTally | undefined;
  startedMs = 0;
  shared = false;
  /** What late work names its record by; absent where that is not written. */
  number: number | undefined;
  /** Its record says that items were pending. */
  wasPending = false;
  readonly #giveUp: ((outcome: TestOutcome) => void) | undefined;

  constructor(
    begun: BegunTest,
    parent: CollectedTest | null,
    tally: OriginTally,
    giveUp?: (outcome: TestOutcome) => void,
  ) {
    this.begun = begun;
    this.parent = parent;
    this.tally = tally;
    this.#giveUp = giveUp;
  }

  /** What was gathered of it; once. */
  take(): CollectedResult | undefined {
    const { tally, compared } = this;
    this.tally = undefined;
    if (compared === undefined) return tally?.take();
    tally?.clear();
    return { pcs: new Float64Array(0), comparisons: compared.take() };
  }

  /** Points are missing. */
  get truncated(): boolean {
    return this.segments.some(({ truncated }) => truncated);
  }

  /** Items that were still queued on its behalf when that was read last. */
  get pending(): number {
    return this.segments.reduce((sum, { pending }) => sum + pending, 0);
  }

  /** Items whose cause could not be kept. */
  get dropped(): number {
    return this.segments.reduce((sum, { dropped }) => sum + dropped, 0);
  }

  /** Ends it where nothing else will. */
  giveUp(): void {
    this.#giveUp?.("unfinished");
  }

  /**
   * Its record.
   *
   * @param threadsShared Other threads of its process may have worked for other tests.
   */
  record(
    { pcs, origins, firstRuns, comparisons }: CollectedResult,
    end: { readonly outcome: TestOutcome; readonly durationMs: number },
    threadsShared: boolean,
  ): TestRecord {
    const { hasHits: _hits, ...begun } = this.begun;
    const { truncated, shared, pending, dropped } = this;
    // Its own thread, and those that were made.
    const tasks = this.segments.reduce((sum, segment) => sum + segment.tasks, 1);
    return {
      ...begun,
      ...end,
      pcs,
      hits: null,
      truncated,
      shared,
      callingThreadOnly: false,
      tree: {
        tasks,
        refused: [],
        finished: end.outcome !== "unfinished",
        ...(threadsShared ? { threadsShared } : {}),
        ...(pending === 0 ? {} : { pending }),
        ...(dropped === 0 ? {} : { dropped }),
      },
      ...(comparisons === undefined ? { origins, firstRuns } : { comparisons }),
    };
  }
}

/** The tallies of the tests of a segment that are open still. */
export function talliesOf({ owners }: Segment<CollectedTest>): (OriginTally | ComparisonTally)[] {
  const tallies: (OriginTally | ComparisonTally)[] = [];
  for (const { tally, compared } of owners) {
    if (tally !== undefined) tallies.push(compared ?? tally);
  }
  return tallies;
}

/**
 * The record of what ran while no test was open.
 *
 * @param threadsShared Other threads of the process may have worked for tests of other files.
 */
export function outsideRecord(
  pcs: TestRecord["pcs"],
  { tasks, pending, dropped, truncated }: Omit<Segment<CollectedTest>, "collector" | "owners">,
  durationMs: number,
  threadsShared: boolean,
): TestRecord {
  return {
    ...{ name: "(outside tests)", file: "", runner: runtimeName(), kind: "outside" },
    ...{ scope: "tree", outcome: "passed", durationMs, pcs, hits: null, truncated },
    ...{ shared: false, callingThreadOnly: false },
    tree: {
      tasks: tasks + 1,
      refused: [],
      finished: true,
      ...(threadsShared ? { threadsShared: true } : {}),
      ...(pending === 0 ? {} : { pending }),
      ...(dropped === 0 ? {} : { dropped }),
    },
  };
}
