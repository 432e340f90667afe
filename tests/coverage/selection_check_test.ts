/** What `npm run check:selection` is made of. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Fate, MutantJudge } from "../../scripts/checks/selection/judge_mutant.ts";
import {
  apfd,
  mean,
  missed,
  randomApfd,
  recall,
  share,
} from "../../scripts/checks/selection/measures.ts";
import { mutantsOf } from "../../scripts/checks/selection/mutants.ts";
import { parseTap } from "../../scripts/checks/selection/suite_run.ts";
import { TestLookup } from "../../src/coverage/questions/test_lookup.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { SmallImage } from "../_support/images/small_image.ts";

const IMAGE = new SmallImage({
  "fs/made.c": `int pipe_poll(int);
int made_open(int flags)
{
	int ret = 0;
	if (flags == 3) {
		pipe_poll(1);
		return -22;
	}
	ret = pipe_poll(flags) + 1;
	return ret;
}
`,
});
after(() => IMAGE[Symbol.dispose]());

/** A run of which one test runs these functions, and `others` run nothing of them. */
function lookupOf(
  others: number,
  more: readonly TestRecord[],
  ...functions: string[]
): TestLookup {
  const records = [IMAGE.record("all", IMAGE.pcsOf(...functions))];
  while (records.length <= others) records.push(IMAGE.record(`other ${records.length}`, []));
  records.push(...more);
  return new TestLookup(new RunCoverage(buildUniverse(IMAGE.index), records));
}

test("mutants are made of lines that tests run, one for each function, in an order of the seed", () => {
  const names = ["pipe_write", "pipe_read", "unix_listen", "made_open"];
  const mutants = mutantsOf(lookupOf(4, [], ...names), IMAGE.folder, 1);
  assert.ok(mutants.length >= 3, JSON.stringify(mutants));
  assert.equal(new Set(mutants.map((mutant) => mutant.function)).size, mutants.length);
  for (const { before, after } of mutants) assert.notEqual(before, after);
  const again = mutantsOf(lookupOf(4, [], ...names), IMAGE.folder, 1);
  assert.deepEqual(again, mutants);
  const condition = mutants.find(({ kind }) => kind === "condition")!;
  assert.equal(condition.after, condition.before.replace(/if \((.*)\)/, "if (!($1))"));
  const few = mutantsOf(lookupOf(4, [], "unix_listen"), IMAGE.folder, 1);
  assert.ok(few.length > 0 && few.every((mutant) => mutant.function === "unix_listen"));
});

test("of lines that run outside of tests only those that many tests run are changed", () => {
  const mutantsWith = (others: number, different?: ReadonlySet<string>): string[] => {
    const outside = IMAGE.record("", IMAGE.pcsOf("made_open"), { kind: "outside" });
    const lookup = lookupOf(others, [outside], "pipe_write", "made_open");
    return mutantsOf(lookup, IMAGE.folder, 1, different).map((mutant) => mutant.function);
  };
  assert.deepEqual(mutantsWith(2).sort(), ["made_open", "pipe_write"]);
  assert.deepEqual(mutantsWith(4), ["pipe_write"]);
  assert.deepEqual(mutantsWith(2, new Set(["fs/pipe.c"])), ["made_open"]);
});

const TAP = `TAP version 14
# ./a_test.ts
ok 1 - one \\\\ \\# half
not ok 2 - two
  ---
  {"message":"ok 9 - no result"}
  ...
ok 3 - three # SKIP
1..3
# b_test.ts
ok 1 - one
`;

test("what a runner printed is read as far as it came", () => {
  assert.deepEqual(parseTap(TAP), {
    passed: ["a_test.ts: one \\ # half", "b_test.ts: one"],
    failed: ["a_test.ts: two"],
    begun: ["a_test.ts", "b_test.ts"],
    cut: [],
  });
});

test("what became of a mutant is told by the tests that ended, and those that fail alone", () => {
  const lookup = lookupOf(3, [], "unix_listen");
  const [mutant] = mutantsOf(lookup, IMAGE.folder, 1);
  const text = readFileSync(join(IMAGE.folder, mutant.file), "utf8");
  const { file } = lookup.coverage.tests[0].record;
  const names = lookup.coverage.tests.map(({ record }) => `${file}: ${record.name}`);
  const judge = new MutantJudge(lookup, {
    passed: names.slice(0, 3),
    failed: [names[3], `${file}: not recorded`],
    begun: [file],
    cut: [],
  });
  assert.deepEqual(judge.tests, names.slice(0, 3));
  assert.deepEqual(judge.leftOut, [names[3], `${file}: not recorded`]);
  const fateOf = (
    passed: string[],
    failed: string[],
    alone = failed,
    begun = [file],
    cut: string[] = [],
  ): Fate => {
    const seconds = { build: 0, suite: 0, alone: 0 };
    const suite = { passed, failed, begun, cut };
    return judge.fateOf(mutant, text, { kind: "ran", suite, alone, seconds });
  };
  const [all, first, second] = names;
  const failed = fateOf([first], [all, second], [all]);
  assert.ok(failed.kind === "failed");
  assert.deepEqual(failed.result, { failing: [all], order: [all, first, second], selected: 1 });
  assert.deepEqual(failed.together, [second]);
  // The second test never ended, and the third did not run.
  const ended = fateOf([all], [], [], [file], [first]);
  assert.ok(ended.kind === "ended");
  assert.deepEqual(ended.result.failing, [first]);
  assert.deepEqual(missed(ended.result), [first]);
  assert.equal(fateOf([all, first, second], []).kind, "survived");
  assert.equal(fateOf([all, first], [second], []).kind, "only-together");
  assert.equal(fateOf([], [], [], []).kind, "not-booted");
  assert.equal(judge.fateOf(mutant, text, { kind: "not-built" }).kind, "not-built");
});

test("the measures are what their names say", () => {
  const order = ["a", "b", "c", "d"];
  const result = { failing: ["b", "d"], order, selected: 2 };
  assert.equal(recall(result), 0.5);
  assert.equal(share(result), 0.5);
  assert.equal(apfd(result), 1 - 2 / 4 + 1 / 8);
  assert.equal(apfd({ failing: ["a"], order, selected: 1 }), 0.875);
  // Of four orders of one failing test the first place is 1 to 4.
  assert.equal(randomApfd({ failing: ["a"], order, selected: 1 }), 0.5);
  assert.equal(mean([]), undefined);
  assert.equal(mean([1, 2]), 1.5);
});
