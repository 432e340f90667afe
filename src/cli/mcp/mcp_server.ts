import { join, resolve } from "node:path";
import process from "node:process";
// Deno finds the declarations of these modules by their names without an ending.
// @ts-types="@modelcontextprotocol/sdk/server/mcp"
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
// @ts-types="@modelcontextprotocol/sdk/server/stdio"
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";
import { DEFAULT_RUN_FOLDER, recordFiles } from "../../record/run_folder.ts";
import { VERSION } from "../../version.ts";
import { changeCoverage, type PatchJson } from "./change_coverage.ts";
import { fitJson } from "./fit_json.ts";
import { runOwnCommand } from "./own_command.ts";
import { runSummary } from "./run_summary.ts";

/** Characters of an answer by default: some 5,000 tokens. */
const MOST_CHARACTERS = 20_000;
/** Characters of a test command's output in an answer, from its end. */
const MOST_OUTPUT = 4_000;
/** Clients give up on a tool that is silent, by default after a minute. */
const PROGRESS_MS = 5_000;

interface ToolAnswer {
  [key: string]: unknown;
  content: { type: "text"; text: string }[];
  isError?: boolean;
}

const RUN = z.string().default(DEFAULT_RUN_FOLDER)
  .describe("The run's folder, or the folder with its reports");
const MOST = z.number().int().min(500).max(1_000_000).default(MOST_CHARACTERS)
  .describe("Characters of the answer: longer lists are cut, and leftOut counts what is missing");
const PATCH = z.string().optional().describe("A unified diff of kernel sources");
const BASE = z.string().optional()
  .describe(
    "In place of a patch: a git revision, whose difference to the files of `tree` is taken",
  );
const TREE = z.string().optional().describe("The kernel's git tree; this folder by default");
const QUESTION = { annotations: { readOnlyHint: true, openWorldHint: false } } as const;

/** A server with kernelcov's tools. */
export function mcpServer(): McpServer {
  const server = new McpServer({ name: "kernelcov", version: VERSION });
  addRunTests(server);
  server.registerTool("list_tests", {
    ...QUESTION,
    description:
      "The tests of a recorded run with outcome and totals, the kernel, and what was lost. " +
      "As kernelcov report --json, without lines.",
    inputSchema: { run: RUN, max_characters: MOST },
  }, ({ run, max_characters }) => attempt(() => answer(runSummary(run), max_characters)));
  server.registerTool("which_tests", {
    ...QUESTION,
    description:
      "Which tests run a line, enter a function, or run any line of files or folders of the kernel, best " +
      "first. As kernelcov which --json.",
    inputSchema: {
      places: z.array(z.string().min(1)).min(1).describe(
        "One of fs/pipe.c:441, pipe_write, fs/pipe.c:pipe_write; or files, folders and patterns such as fs/ext4",
      ),
      run: RUN,
      max_characters: MOST,
    },
  }, ({ places, run, max_characters }, { signal }) =>
    attempt(async () => {
      const args = ["which", "--json", "--run", run, ...operands(places)];
      return answer(await ask(args, { signal }), max_characters);
    }));
  server.registerTool("show_test", {
    ...QUESTION,
    description:
      "What one test reached in the kernel: its functions, lines by file, system calls, the lines that only " +
      "this test runs, similar tests. As kernelcov show --json.",
    inputSchema: {
      test: z.string().min(1).describe("Its name, or a part that no other test's name has"),
      run: RUN,
      max_characters: MOST,
    },
  }, ({ test, run, max_characters }, { signal }) =>
    attempt(async () => {
      const args = ["show", "--json", "--run", run, ...operands([test])];
      return answer(await ask(args, { signal }), max_characters);
    }));
  server.registerTool(
    "tests_for_change",
    {
      ...QUESTION,
      description:
        "Which recorded tests a change of the kernel needs, best first, with reasons. As kernelcov which " +
        "--diff --json. Where runAll is not empty, all tests have to run.",
      inputSchema: { patch: PATCH, base: BASE, tree: TREE, run: RUN, max_characters: MOST },
    },
    (options, { signal }) =>
      attempt(async () => answer(await askPatch(options, signal), options.max_characters)),
  );
  server.registerTool("change_covered", {
    ...QUESTION,
    description:
      "Is a change of the kernel covered by the recorded tests? A verdict, the numbers of changed lines and " +
      "of those that tests run, and each hunk with its uncovered lines.",
    inputSchema: { patch: PATCH, base: BASE, tree: TREE, run: RUN, max_characters: MOST },
  }, (options, { signal }) =>
    attempt(async () => {
      const patch = await askPatch(options, signal) as PatchJson;
      return answer(changeCoverage(patch), options.max_characters);
    }));
  return server;
}

/** Serves the tools on standard input and output until the client closes them. */
export async function serveStdio(): Promise<void> {
  const server = mcpServer();
  const closed = new Promise<void>((resolve) => {
    server.server.onclose = resolve;
  });
  const transport = new StdioServerTransport();
  // The transport itself does not end with its input.
  process.stdin.once("end", () => void server.close());
  await server.connect(transport);
  await closed;
}

function addRunTests(server: McpServer): void {
  server.registerTool("run_tests", {
    annotations: { readOnlyHint: false, openWorldHint: true },
    description:
      "Runs a test command and records which kernel code each of its tests runs. By default on the running " +
      "kernel where it has KCOV, else in the embedded kernel, where the command can change only `write` and `out`. " +
      "The answer: the exit status, the end of the output, and the run as list_tests has it.",
    inputSchema: {
      command: z.array(z.string()).min(1).describe(
        'Program and arguments: ["deno", "test", "-A", "pipe_test.ts"]',
      ),
      kernel: z.string().optional().describe("auto (default), host, embedded, a name or a path"),
      scope: z.enum(["tree", "thread"]).optional().describe("tree (default): child processes too"),
      write: z.array(z.string()).default([]).describe(
        "Folders that a command in a guest may change",
      ),
      timeout_seconds: z.number().positive().optional().describe("Time limit in a guest"),
      repeat: z.number().int().positive().optional().describe(
        "Runs it so many times, to find flaky points",
      ),
      out: z.string().default("coverage/kernel").describe("Folder of the reports and records"),
      max_characters: MOST,
    },
  }, (options, { signal, sendNotification, _meta }) => {
    const { command, kernel, scope, write, timeout_seconds, repeat, out } = options;
    return attempt(async () => {
      const args = [
        "test",
        ...option("--kernel", kernel),
        ...option("--scope", scope),
        ...write.flatMap((folder) => option("--write", folder)),
        ...option("--timeout", timeout_seconds),
        ...option("--repeat", repeat),
        ...option("--out", out),
        "--",
        ...command,
      ];
      const run = join(out, "run");
      const earlier = new Set(recordFilesOf(run));
      let last = "", progress = 0;
      const token = _meta?.progressToken;
      const ticks = setInterval(() => {
        if (token === undefined) return;
        const params = { progressToken: token, progress: ++progress, message: last };
        sendNotification({ method: "notifications/progress", params }).catch(() => {});
      }, PROGRESS_MS);
      try {
        const { status, stdout, stderr } = await runOwnCommand(args, {
          signal,
          onOutput: (text) => last = text.trim().split("\n").at(-1) || last,
        });
        const output = { exitStatus: status, ...tail("output", stdout), ...tail("errors", stderr) };
        const isRecorded = recordFilesOf(run).some((name) => !earlier.has(name));
        if (!isRecorded) return { ...answer(output, options.max_characters), isError: true };
        return answer({ ...output, run: runSummary(run) }, options.max_characters);
      } finally {
        clearInterval(ticks);
      }
    });
  });
}

function option(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`${name}=${value}`];
}

/** Operands that start with a dash are none of the command's options. */
function operands(texts: readonly string[]): string[] {
  const [dashed] = texts.filter((text) => text.startsWith("-"));
  if (dashed === undefined) return [...texts];
  throw new TypeError(`"${dashed}" starts with a dash: name a place or a test`);
}

function recordFilesOf(run: string): string[] {
  try {
    return recordFiles(run);
  } catch {
    return []; // There is no such folder yet.
  }
}

function tail(name: string, text: string): Record<string, unknown> {
  const left = Math.max(0, text.length - MOST_OUTPUT);
  return { [name]: text.slice(left), ...(left === 0 ? {} : { [`${name}LeftOutBefore`]: left }) };
}

interface PatchQuestion {
  readonly patch?: string | undefined;
  readonly base?: string | undefined;
  readonly tree?: string | undefined;
  readonly run: string;
}

/** The answer about a patch, or about the difference of a tree to one of its revisions. */
async function askPatch({ patch, base, tree, run }: PatchQuestion, signal: AbortSignal) {
  if ((patch === undefined) === (base === undefined)) {
    throw new TypeError("Give either a patch or a base revision");
  }
  const args = ["which", "--json", "--run", resolve(run)];
  return patch === undefined
    ? await ask([...args, `--base=${base}`], { cwd: tree, signal })
    : await ask([...args, "--diff", "-"], { input: patch, signal });
}

async function ask(
  args: readonly string[],
  options: Parameters<typeof runOwnCommand>[1],
): Promise<unknown> {
  const { status, stdout, stderr } = await runOwnCommand(args, options);
  if (status === 0) return JSON.parse(stdout);
  throw new RangeError(stderr.trim().slice(-MOST_OUTPUT) || `kernelcov ended with ${status}`);
}

function answer(value: unknown, most: number): ToolAnswer {
  return { content: [{ type: "text", text: JSON.stringify(fitJson(value, most)) }] };
}

/** What went wrong is an answer too: the model can read it and ask again. */
async function attempt(tool: () => ToolAnswer | Promise<ToolAnswer>): Promise<ToolAnswer> {
  try {
    return await tool();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { content: [{ type: "text", text }], isError: true };
  }
}
