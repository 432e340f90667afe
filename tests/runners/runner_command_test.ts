import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { RUNNERS } from "../../src/runners/all_runners.ts";
import { supervisorRuntime, withPreload } from "../../src/runners/runner_command.ts";

/** The command with the preload's path shortened to `PRELOAD`. */
function changed(command: string): string {
  const { command: words } = withPreload(command.split(" "));
  return words.map((word) =>
    word.replace(/(^|=)\/\S*\/runners\/(deno|bun)\/preload\.ts$/, "$1PRELOAD")
  )
    .join(" ");
}

test("the runner's preload is added behind its word test", () => {
  const commands = {
    "deno test -A": "deno test --preload=PRELOAD -A",
    "/usr/bin/deno --quiet test a.ts": "/usr/bin/deno --quiet test --preload=PRELOAD a.ts",
    "bun test": "bun test --preload PRELOAD",
    "bun --cwd x test y": "bun --cwd x test --preload PRELOAD y",
    "npx -y bun test": "npx -y bun test --preload PRELOAD",
    "env A=b -u C deno test": "env A=b -u C deno test --preload=PRELOAD",
    "env A=test npx bun test --watch": "env A=test npx bun test --preload PRELOAD --watch",
  };
  for (const [command, expected] of Object.entries(commands)) {
    assert.equal(changed(command), expected);
    assert.notEqual(withPreload(command.split(" ")).runner, null);
  }
});

test("a command that is none of the runners is left as it is", () => {
  for (const command of ["deno run test", "bun run test", "npm test", "sh -c deno", "env", "bun"]) {
    assert.deepEqual(withPreload(command.split(" ")), {
      runner: null,
      command: command.split(" "),
    });
  }
});

test("tests of Bun are supervised by the Bun that runs them, all others by the command's runtime", () => {
  assert.deepEqual(supervisorRuntime(["/opt/bun", "test", "a.ts"]), {
    name: "bun",
    program: "/opt/bun",
  });
  for (
    const command of [["deno", "test"], ["npx", "bun", "test"], ["bun", "run", "x"], ["sh"]]
  ) {
    assert.equal(supervisorRuntime(command), undefined, command.join(" "));
  }
});

test("each runner has a preload, which the package has as one file", () => {
  const pack = readFileSync(new URL("../../scripts/pack.ts", import.meta.url), "utf8");
  for (const { name, preload, preloadArguments } of RUNNERS) {
    assert.ok(existsSync(preload), preload);
    assert.ok(preloadArguments.at(-1)!.endsWith(preload), name);
    assert.ok(pack.includes(`"src/runners/${name}/preload.js"`), name);
  }
});
