/** A program that runs tests, each of which a preload can cover. */
export interface RunnerArguments {
  readonly runner: "deno" | "bun";
  /** Index among the program's arguments at which the preload's go. */
  readonly at: number;
}

/** Options of the runners, before the word `test`, that take the next argument. */
const VALUED: ReadonlySet<string> = new Set([
  "--cwd",
  "-c",
  "--config",
  "-L",
  "--log-level",
  "-r",
  "--preload",
  "--require",
  "--import",
  "--env-file",
  "--conditions",
  "--define",
  "-d",
  "--loader",
  "-l",
  "--tsconfig-override",
  "--install",
]);

/** What tells `deno` and `bun` under other names: npm's `bun.exe`, versions behind a dash. */
const RUNTIME_NAME = /^(deno|bun)(?:\.exe|-[\w.-]+)?$/;

/**
 * Finds `deno test` and `bun test`.
 *
 * @param program The program's path or name.
 * @param args Its arguments, its own name left out.
 */
export function runnerArguments(program: string, args: readonly string[]): RunnerArguments | null {
  const runner = RUNTIME_NAME.exec(basename(program))?.[1] as RunnerArguments["runner"] | undefined;
  if (runner === undefined) return null;
  let at = 0;
  while (at < args.length && args[at].startsWith("-")) at += VALUED.has(args[at]) ? 2 : 1;
  return args[at] === "test" ? { runner, at: at + 1 } : null;
}

/** The arguments that load a preload. */
export function preloadArguments(runner: RunnerArguments["runner"], path: string): string[] {
  // Deno's option takes a list: it must not take the word behind it.
  return runner === "deno" ? [`--preload=${path}`] : ["--preload", path];
}

/** Programs whose first argument `test` has them run tests. */
const TEST_WORD: ReadonlySet<string> = new Set(["cargo", "dart", "go", "swift", "zig"]);
/** Test runners that are programs of their own, or scripts that another program runs. */
const RUNNER_SCRIPTS: ReadonlySet<string> = new Set([
  "ava",
  "ctest",
  "cypress",
  "jasmine",
  "jest",
  "mocha",
  "phpunit",
  "playwright",
  "prove",
  "py.test",
  "pytest",
  "rspec",
  "tap",
  "uvu",
  "vitest",
]);
/** Programs that run the script among their arguments. */
const SCRIPT_RUNNERS = /^(?:node|nodejs|deno|bun|python|perl|php|ruby)(?:\.exe|-?[\d.]+)?$/;

/**
 * The name of a test runner whose tests no preload can cover, such as `node --test`; `null` where the program is none
 * that is known.
 */
export function uncoveredRunner(program: string, args: readonly string[]): string | null {
  const name = basename(program);
  if (RUNNER_SCRIPTS.has(name)) return name;
  if (TEST_WORD.has(name) && args[0] === "test") return `${name} test`;
  if (!SCRIPT_RUNNERS.test(name)) return null;
  const script = args.findIndex((arg) => !arg.startsWith("-"));
  const options = script < 0 ? args : args.slice(0, script);
  if (/^node/.test(name) && options.includes("--test")) return "node --test";
  // python -m pytest
  const module = args.indexOf("-m");
  if (module >= 0 && /^python/.test(name)) {
    const ran = args[module + 1] ?? "";
    return ran === "unittest" || RUNNER_SCRIPTS.has(ran) ? `python -m ${ran}` : null;
  }
  if (script < 0) return null;
  const stem = basename(args[script]).replace(/\.[cm]?js$/, "");
  return RUNNER_SCRIPTS.has(stem) ? stem : null;
}

/** The last part of a path. Not by node:path, which a supervisor does without. */
function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
