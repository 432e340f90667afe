import assert from "node:assert/strict";
import { test } from "node:test";
import { RUNNERS } from "../../src/runners/all_runners.ts";
import {
  findRunner,
  type RunnerProgram,
  uncoveredRunner,
} from "../../src/tracer/runners/runner_arguments.ts";

/** The name of the runner that a command line starts, and where its preload's arguments go. */
function found(line: string, programs: readonly RunnerProgram[] = RUNNERS): unknown[] | null {
  const runner = findRunner(programs, ...split(line));
  return runner && [runner.program.name, runner.at];
}

function split(line: string): [string, string[]] {
  const [program, ...args] = line.split(" ");
  return [program, args];
}

test("deno test and bun test are found whatever the program's file is called", () => {
  const runners = {
    "deno test": ["deno", 1],
    "/opt/deno-2.9.6 --quiet -L debug test -A": ["deno", 4],
    "/x/node_modules/bun/bin/bun.exe test a": ["bun", 1],
    "bun --cwd test -r ./a.ts test": ["bun", 5],
  };
  for (const [line, runner] of Object.entries(runners)) assert.deepEqual(found(line), runner, line);
});

test("a runner may have an option that runs tests, in the place of a word", () => {
  const node = { name: "node", testArgument: "--test", preload: "/p", preloadArguments: ["/p"] };
  const programs = [...RUNNERS, node];
  assert.deepEqual(found("/usr/bin/node --no-warnings --test a.mjs", programs), ["node", 2]);
  assert.deepEqual(found("node-22 -r ./x.js --test", programs), ["node", 3]);
  assert.deepEqual(found("deno test --test", programs), ["deno", 1]);
  for (const line of ["node a.js --test", "node -r --test", "node"]) {
    assert.equal(found(line, programs), null, line);
  }
});

test("other programs, and other commands of the runners, are no test runners", () => {
  for (
    const line of [
      "deno",
      "deno task test",
      "deno run -A test",
      "bun run test",
      "bun x test",
      "test",
    ]
      .concat("denotest test", "bun-test", "npm test", "bun -r test", "/test/deno --version")
  ) {
    assert.equal(found(line), null, line);
  }
});

test("test runners that no preload can cover are named", () => {
  const named = {
    "node --test": "node --test",
    "/usr/bin/node --no-warnings --test a.mjs": "node --test",
    "node /p/node_modules/.bin/vitest run": "vitest",
    "node node_modules/jest/bin/jest.js": "jest",
    "bun /p/node_modules/mocha/bin/mocha.js": "mocha",
    "go test ./...": "go test",
    "cargo test": "cargo test",
    "/usr/bin/python3.11 -m pytest -q": "python -m pytest",
    "/usr/bin/python3 /usr/bin/pytest": "pytest",
    "prove t": "prove",
  };
  for (const [line, name] of Object.entries(named)) {
    assert.equal(uncoveredRunner(...split(line)), name, line);
  }
  for (
    const line of ["node a.js --test", "node", "go build test", "python3 x.py", "sh -c test", "ls"]
  ) {
    assert.equal(uncoveredRunner(...split(line)), null, line);
  }
});
