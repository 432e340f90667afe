import assert from "node:assert/strict";
import { test } from "node:test";
import type { LeftOut, OriginSelection } from "../../src/coverage/origin_selection.ts";
import type { OriginClass } from "../../src/coverage/origin_class.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { repeatGroups } from "../../src/coverage/test_repeats.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { KCOV_CALL } from "../../src/kcov/origin.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { leftOutText } from "../../src/report/origins/left_out_text.ts";
import { showJson, showTest, showText } from "../../src/report/show_text.ts";
import { doubts, testTable, totalsText } from "../../src/report/text_table.ts";
import { buildRecord, smallKernel } from "../_support/images/index_builder.ts";
import { CALL, origin, originsOf } from "../_support/images/origin_run.ts";

const IMAGE = smallKernel();
const CLASSES: OriginSelection = { classes: ["own", "behalf"], calls: [], restricts: false };

function record(name: string, rest: Partial<TestRecord> = {}): TestRecord {
  const offsets = [0x10, 0x100, 0x120, 0x200, 0x400, 0x420];
  return buildRecord(IMAGE, name, offsets, null, {
    scope: "tree",
    tree: { tasks: 3, refused: [], finished: true },
    origins: originsOf(offsets, [
      [origin("own", CALL.write), [0x10, 0x100]],
      [origin("main", CALL.read), [0x100, 0x120]],
      [origin("main", KCOV_CALL.none), [0x200, 0x400]],
      [origin("own", KCOV_CALL.codeFault), [0x400, 0x420]],
    ]),
    ...rest,
  });
}

function runOf(records: readonly TestRecord[], selection?: OriginSelection): RunCoverage {
  return new RunCoverage(buildUniverse(IMAGE), records, {
    kernel: { buildId: IMAGE.buildId, release: "6.12.0", machine: "x86_64" },
    selection,
  });
}

function leftOut(
  only: Partial<Record<OriginClass, number>>,
  several = 0,
  selection: OriginSelection = CLASSES,
): string | undefined {
  const none: LeftOut["only"] = { own: 0, behalf: 0, runtime: 0, faults: 0 };
  return leftOutText({ only: { ...none, ...only }, several }, selection);
}

test("what is left out is said with its numbers, and how it would count", () => {
  assert.equal(leftOut({}), undefined);
  assert.equal(
    leftOut({ runtime: 1204, faults: 1 }),
    "left out: 1,204 points in runtime threads, 1 in page faults: --include runtime,faults counts them",
  );
  assert.equal(
    leftOut({ faults: 1 }),
    "left out: 1 point in page faults: --include faults counts it",
  );
  assert.equal(
    leftOut({ runtime: 3, faults: 2 }, 4),
    "left out: 3 points in runtime threads, 2 in page faults, 4 in both: --include runtime,faults counts them",
  );
  assert.equal(
    leftOut({}, 4),
    "left out: 4 points in runtime threads and in page faults: --include runtime,faults counts them",
  );
  assert.equal(
    leftOut({ own: 5, behalf: 1 }, 2, { classes: [], calls: ["connect"], restricts: true }),
    "left out: 5 points in own calls, 1 on behalf, 2 in several of these, by --origin call:connect",
  );
  assert.equal(
    leftOut({ own: 5 }, 0, { classes: ["behalf"], calls: [], restricts: true }),
    "left out: 5 points in own calls, by --origin behalf",
  );
});

test("show and the totals say what is left out of the numbers", () => {
  const run = runOf([record("a")]);
  const line =
    "left out: 2 points in runtime threads, 1 in page faults, 1 in both: --include runtime,faults counts them";
  const shown = showTest(run, repeatGroups(run)[0], []);
  const text = showText(run, shown).split("\n");
  assert.match(text[1]!, /, 2 points$/);
  assert.deepEqual(text.slice(3, 5), [
    "  write(2)                                       3      3       2",
    `  ${line}`,
  ]);
  assert.ok(totalsText(run).includes(`  ${line}\n`));
  assert.deepEqual((showJson(run, shown) as { leftOut: LeftOut }).leftOut, {
    only: { own: 0, behalf: 0, runtime: 2, faults: 1 },
    several: 1,
  });
  const whole = runOf([record("a")], {
    classes: ["own", "behalf", "runtime", "faults"],
    calls: [],
    restricts: false,
  });
  const all = showText(whole, showTest(whole, repeatGroups(whole)[0], []));
  assert.doesNotMatch(all, /left out/);
  assert.match(
    all,
    /^Page faults\n {2}page fault of code loading .*\nRuntime threads\n {2}read\(2\), in the main thread .*\n {2}between calls, in the main thread /m,
  );
  assert.doesNotMatch(totalsText(whole), /left out/);
});

test("of several repeats the one counts of which most is left out", () => {
  const offsets = [0x10];
  const run = runOf([
    record("a"),
    buildRecord(IMAGE, "a", offsets, null, {
      pass: 1,
      origins: originsOf(offsets, [[origin("own", CALL.write), offsets]]),
    }),
  ]);
  assert.match(
    showText(run, showTest(run, repeatGroups(run)[0], [])),
    /^ {2}left out: 2 points in .* counts them \(at most\)$/m,
  );
});

test("a run without calls says nothing of them; one with and without, of how many tests", () => {
  const plain = (name: string) => buildRecord(IMAGE, name, [0x10], null);
  assert.deepEqual(
    doubts(runOf([plain("a"), plain("b")])).filter((line) => /calls/.test(line)),
    [],
  );
  assert.ok(
    doubts(runOf([record("a"), plain("b")])).includes(
      "system calls are not known of 1 test: it counts whole",
    ),
  );
  assert.ok(
    doubts(runOf([record("a"), plain("b"), plain("c")])).includes(
      "system calls are not known of 2 tests: they count whole",
    ),
  );
  assert.ok(
    doubts(runOf([record("a"), plain("b")], { classes: ["own"], calls: [], restricts: true }))
      .includes("system calls are not known of 1 test: left out"),
  );
});

test("work that was cut off or could not be followed, and shared threads, are said", () => {
  const tree = { tasks: 1, refused: [], finished: true };
  const run = runOf([
    record("a", { tree: { ...tree, pending: 2, dropped: 1 } }),
    record("b", { tree: { ...tree, pending: 1, threadsShared: true } }),
  ]);
  assert.deepEqual(doubts(run).filter((line) => /^(?:pending|no cause|threads)/.test(line)), [
    "pending: 3 items still queued on tests' behalf when their records were read: what they run is missing",
    "no cause: 1 item queued on tests' behalf could not be followed: what they ran is missing",
    "threads shared: 1 test ran beside others; what other threads of the runtime ran counts as the runtime's",
  ]);
  const rows = testTable(run).split("\n").map((line) => line.trim());
  assert.match(rows[2]!, /^a .* 2 pending, 1 without cause$/);
  assert.match(rows[3]!, /^b .* 1 pending$/);
});
