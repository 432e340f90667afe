import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
// Deno finds the declarations of these modules by their names without an ending.
import { Client } from "@modelcontextprotocol/sdk/client";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { runtimeName } from "../../../src/sys/runtime.ts";
import { SmallImage } from "../../_support/images/small_image.ts";
import { commandOn, runCommandOn } from "../../_support/images/small_image_command.ts";

const SLOW = { timeout: 120_000 };
const IMAGE = new SmallImage();
const RECORDS = [
  IMAGE.record("pipe > writes", IMAGE.pcsOf("pipe_write", "pipe_poll")),
  IMAGE.record("pipe > reads", IMAGE.pcsOf("pipe_read", "pipe_poll")),
  ...Array.from({ length: 40 }, (_, i) => IMAGE.record(`poll ${i}`, IMAGE.pcsOf("pipe_poll"))),
];
const RUN = IMAGE.writeRun("run", RECORDS);

const client = new Client({ name: "test", version: "1" });
/** One whose server knows the machine's own kernels. */
const embedded = new Client({ name: "test", version: "1" });

before(async () => {
  const { command, args, options: { cwd, env } } = commandOn(IMAGE, ["mcp"]);
  async function connect(to: Client, env: NodeJS.ProcessEnv): Promise<void> {
    const options = { command, args, cwd, env: env as Record<string, string> };
    await to.connect(new StdioClientTransport(options));
  }
  await connect(client, env);
  await connect(embedded, process.env);
});

after(async () => {
  await client.close();
  await embedded.close();
  IMAGE[Symbol.dispose]();
});

interface Result {
  readonly isError: boolean;
  readonly text: string;
}

async function call(name: string, args: Record<string, unknown>): Promise<Result> {
  const { isError = false, content } = await client.callTool({ name, arguments: args });
  const [{ text }] = content as [{ text: string }];
  return { isError: isError as boolean, text };
}

interface Fitted<T> {
  readonly answer: T;
  readonly leftOut?: Record<string, number>;
}

async function ask<T>(name: string, args: Record<string, unknown>): Promise<Fitted<T>> {
  const { isError, text } = await call(name, { run: RUN, ...args });
  assert.equal(isError, false, text);
  return JSON.parse(text);
}

/** What the command itself answers. */
function commandSays(args: readonly string[], input?: string): unknown {
  const { stdout, stderr } = runCommandOn(IMAGE, [...args, "--json", "--run", RUN], input);
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

function patchOf(line: number): string {
  const lines = readFileSync(join(IMAGE.folder, "fs/pipe.c"), "utf8").split("\n");
  const [before, old, behind] = lines.slice(line - 2, line + 1);
  return `--- a/fs/pipe.c\n+++ b/fs/pipe.c\n@@ -${line - 1},3 +${
    line - 1
  },3 @@\n ${before}\n-${old}\n+${old} /* new */\n ${behind}\n`;
}

function patchOfUnix(): string {
  return "--- a/net/unix/af_unix.c\n+++ b/net/unix/af_unix.c\n@@ -8,3 +8,3 @@\n int unix_never(int x)\n {\n" +
    "-\treturn pipe_poll(x + 1);\n+\treturn pipe_poll(x + 2);\n";
}

test("the server lists its tools, each with a description and a schema", SLOW, async () => {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map(({ name }) => name).sort(), [
    "change_covered",
    "list_tests",
    "run_tests",
    "show_test",
    "tests_for_change",
    "which_tests",
  ]);
  for (const { name, description, inputSchema, annotations } of tools) {
    assert.ok(description!.length > 40, name);
    assert.equal(inputSchema.type, "object", name);
    assert.equal(annotations!.readOnlyHint, name !== "run_tests", name);
  }
});

test("list_tests has every test, the totals and the kernel", SLOW, async () => {
  const { answer, leftOut } = await ask<
    { tests: { name: string; outcome: string; totals: object }[]; totals: object; kernel: object }
  >("list_tests", { max_characters: 100_000 });
  assert.equal(leftOut, undefined);
  assert.deepEqual(
    answer.tests.map(({ name }) => name).sort(),
    RECORDS.map(({ name }) => name).sort(),
  );
  assert.ok(answer.totals && answer.kernel);
});

test("which_tests answers as kernelcov which --json", SLOW, async () => {
  for (const places of [["fs/pipe.c:8"], ["pipe_write"], ["fs/pipe.c", "net"]]) {
    const { answer } = await ask("which_tests", { places, max_characters: 100_000 });
    assert.deepEqual(answer, commandSays(["which", ...places]));
  }
});

test("show_test answers as kernelcov show --json", SLOW, async () => {
  const { answer } = await ask("show_test", { test: "pipe > writes", max_characters: 100_000 });
  assert.deepEqual(answer, commandSays(["show", "pipe > writes"]));
});

test("tests_for_change answers as kernelcov which --diff --json", SLOW, async () => {
  const patch = patchOf(9);
  const { answer } = await ask("tests_for_change", { patch, max_characters: 100_000 });
  assert.deepEqual(answer, commandSays(["which"], patch));
});

test("change_covered tells covered lines from others", SLOW, async () => {
  const covered = await ask<{ verdict: string; lines: number; linesCovered: number }>(
    "change_covered",
    { patch: patchOf(9) },
  );
  assert.deepEqual(
    [covered.answer.verdict, covered.answer.lines, covered.answer.linesCovered],
    ["covered", 1, 1],
  );
  const not = await ask<{ verdict: string; hunks: { uncovered: number[] }[] }>("change_covered", {
    patch: patchOfUnix(),
  });
  assert.equal(not.answer.verdict, "not covered");
  assert.deepEqual(not.answer.hunks[0].uncovered, [10]);
});

test("an answer that is too long is cut, and says how much", SLOW, async () => {
  const { answer, leftOut } = await ask<{ tests: unknown[] }[]>("which_tests", {
    places: ["pipe_poll"],
    max_characters: 2000,
  });
  assert.ok(JSON.stringify({ answer, leftOut }).length <= 2000);
  assert.ok(answer[0].tests.length > 0);
  assert.equal(answer[0].tests.length + leftOut!["[].tests"], 42);
});

test("wrong arguments are an error that names them", SLOW, async () => {
  for (
    const [tool, args, wanted] of [
      ["which_tests", {}, /places/],
      ["which_tests", { places: "pipe_write" }, /places/],
      ["show_test", { test: 4 }, /test/],
      ["run_tests", { command: [] }, /command/],
      ["run_tests", { command: ["true"], scope: "all" }, /scope/],
      ["show_test", { test: "no such", run: RUN }, /No test is named "no such"/],
      ["which_tests", { places: ["pipe_wirte"], run: RUN }, /did you mean pipe_write/i],
      ["which_tests", { places: ["--help"], run: RUN }, /starts with a dash/],
      ["change_covered", { run: RUN }, /either a patch or a base/],
      ["change_covered", { run: RUN, base: "HEAD", tree: IMAGE.folder }, /git diff HEAD/],
      ["no_such_tool", {}, /no_such_tool/],
    ] as const
  ) {
    const { isError, text } = await call(tool, args);
    assert.equal(isError, true, `${tool} ${JSON.stringify(args)}`);
    assert.match(text, wanted);
  }
});

test("a run that does not exist is an error of every question", SLOW, async () => {
  const run = join(IMAGE.folder, "nothing");
  for (
    const [tool, args] of [
      ["list_tests", {}],
      ["which_tests", { places: ["pipe_write"] }],
      ["show_test", { test: "pipe" }],
      ["tests_for_change", { patch: patchOf(9) }],
      ["change_covered", { patch: patchOf(9) }],
    ] as const
  ) {
    const { isError, text } = await call(tool, { ...args, run });
    assert.equal(isError, true, tool);
    assert.match(text, /nothing/, tool);
    assert.doesNotMatch(text, /\n {4}at /, tool);
  }
});

test("run_tests records in the embedded kernel and answers with the run", SLOW, async () => {
  const file = join(IMAGE.folder, "pipe_test.ts");
  writeFileSync(
    file,
    `import { readFileSync } from "node:fs";
import { test } from "node:test";
test("a file is read", () => void readFileSync("/etc/hostname"));
`,
  );
  const out = join(IMAGE.folder, "out");
  const runtime = runtimeName();
  const command = runtime === "deno" ? ["deno", "test", "-A", file] : ["bun", "test", file];
  const { isError = false, content } = await embedded.callTool({
    name: "run_tests",
    arguments: { command, out, kernel: "embedded", max_characters: 8000 },
  });
  const [{ text }] = content as [{ text: string }];
  assert.equal(isError, false, text);
  const { answer } = JSON.parse(text);
  assert.equal(answer.exitStatus, 0);
  assert.match(answer.output + answer.errors, /a file is read/);
  assert.deepEqual(
    answer.run.tests.map(({ name, outcome }: { name: string; outcome: string }) => [name, outcome]),
    [["a file is read", "passed"]],
  );
});

test("a command that records nothing is an error, whatever ran before", SLOW, async () => {
  const { isError, text } = await call("run_tests", {
    command: ["true"],
    out: dirname(RUN),
    kernel: "/no/such/kernel",
  });
  assert.equal(isError, true);
  const { answer } = JSON.parse(text);
  assert.notEqual(answer.exitStatus, 0);
  assert.match(answer.errors, /\/no\/such\/kernel/);
  assert.equal(answer.run, undefined);
});

test("without the protocol's packages one line says what to install", SLOW, () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-mcp-"));
  cpSync(join(import.meta.dirname!, "../../../src"), join(folder, "src"), { recursive: true });
  mkdirSync(join(folder, "node_modules")); // Else Bun would fetch packages by itself.
  const { status, stderr } = spawnSync(join(folder, "src/cli/kernelcov"), ["mcp"], {
    encoding: "utf8",
    input: "",
    env: {
      ...process.env,
      KERNELCOV_RUNTIME: runtimeName(),
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    },
  });
  rmSync(folder, { recursive: true });
  assert.equal(
    stderr,
    "kernelcov: The packages of the Model Context Protocol are missing: npm install --save-dev " +
      "@modelcontextprotocol/sdk zod\n",
  );
  assert.equal(status, 1);
});
