import type { BegunTest, TestRecord } from "./test_record.ts";

/**
 * Pairs the tests that one writer said begin with their records. What is left over was cut short: the writer, or the
 * kernel that it ran on, ended first.
 */
export class UnfinishedTests {
  readonly #open = new Map<string, BegunTest[]>();

  /** A test begins. */
  begin(test: BegunTest): void {
    const key = keyOf(test);
    const open = this.#open.get(key);
    if (open === undefined) this.#open.set(key, [test]);
    else open.push(test);
  }

  /** A record was written: one test of that name has ended. */
  end(record: TestRecord): void {
    this.#open.get(keyOf(record))?.pop();
  }

  /** Records of the tests that have not ended, in start order: what they ran is lost. */
  records(): TestRecord[] {
    return [...this.#open.values()].flat().map(unfinishedRecord);
  }
}

function keyOf({ kind = "test", name, file }: BegunTest | TestRecord): string {
  return `${kind}\0${file}\0${name}`;
}

function unfinishedRecord({ hasHits, ...test }: BegunTest): TestRecord {
  return {
    ...test,
    outcome: "unfinished",
    durationMs: 0,
    pcs: new Float64Array(0),
    hits: hasHits ? new Uint32Array(0) : null,
    truncated: false,
    shared: false,
    callingThreadOnly: false,
    ...(test.scope === "tree" ? { tree: { tasks: 0, refused: [], finished: false } } : {}),
  };
}
