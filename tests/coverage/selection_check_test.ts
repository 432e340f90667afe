/** What `npm run check:selection` is made of. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { apfd, mean, recall, share } from "../../scripts/checks/selection/measures.ts";
import { mutantsOf } from "../../scripts/checks/selection/mutants.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
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

function coverageOf(...functions: string[]): RunCoverage {
  return new RunCoverage(buildUniverse(IMAGE.index), [
    IMAGE.record("all", IMAGE.pcsOf(...functions)),
  ]);
}

test("mutants are made of lines that tests run, one for each function, in an order of the seed", () => {
  const names = ["pipe_write", "pipe_read", "unix_listen", "made_open"];
  const mutants = mutantsOf(coverageOf(...names), IMAGE.folder, 1);
  assert.ok(mutants.length >= 3, JSON.stringify(mutants));
  assert.equal(new Set(mutants.map((mutant) => mutant.function)).size, mutants.length);
  for (const { before, after } of mutants) assert.notEqual(before, after);
  const again = mutantsOf(coverageOf(...names), IMAGE.folder, 1);
  assert.deepEqual(again, mutants);
  const condition = mutants.find(({ kind }) => kind === "condition")!;
  assert.equal(condition.after, condition.before.replace(/if \((.*)\)/, "if (!($1))"));
  const few = mutantsOf(coverageOf("unix_listen"), IMAGE.folder, 1);
  assert.ok(few.length > 0 && few.every((mutant) => mutant.function === "unix_listen"));
});

test("the measures are what their names say", () => {
  const order = ["a", "b", "c", "d"];
  const result = { failing: ["b", "d"], order, selected: 2 };
  assert.equal(recall(result), 0.5);
  assert.equal(share(result), 0.5);
  assert.equal(apfd(result), 1 - 2 / 4 + 1 / 8);
  assert.equal(apfd({ failing: ["a"], order, selected: 1 }), 0.875);
  assert.equal(mean([]), undefined);
  assert.equal(mean([1, 2]), 1.5);
});
