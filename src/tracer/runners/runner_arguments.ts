/** A program that runs tests, each of which a preload can cover, as its command line shows it. */
export interface RunnerProgram {
  /** Its file's name; others are that with `.exe`, as in npm's package, or with a version behind a dash. */
  readonly name: string;
  /** The argument by which it runs tests, behind nothing but options: `test`, or an option such as `--test`. */
  readonly testArgument: string;
  /** The name under which the same program does something else. */
  readonly otherName?: string;
  /** Path of the module that covers its tests. */
  readonly preload: string;
  /** Arguments, behind `testArgument`, that have it load that module; the last one is or ends with the path. */
  readonly preloadArguments: readonly string[];
}

/** A runner that some arguments start. */
export interface FoundRunner<Program extends RunnerProgram> {
  readonly program: Program;
  /** Index among the arguments at which the preload's go. */
  readonly at: number;
}

/** Options of the runners, before the test argument, that take the next argument. */
const VALUED: ReadonlySet<string> = new Set(
  ("--cwd -c --config -L --log-level -r --preload --require --import --env-file " +
    "--conditions --define -d --loader -l --tsconfig-override --install").split(" "),
);

/** What may stand behind a program's name. */
const NAME_END = /^(?:\.exe|-[\w.-]+)?$/;

/**
 * Finds the runner among `programs` that runs tests.
 *
 * @param file The program's path or name.
 * @param args Its arguments, its own name left out.
 */
export function findRunner<Program extends RunnerProgram>(
  programs: readonly Program[],
  file: string,
  args: readonly string[],
): FoundRunner<Program> | null {
  const base = basename(file);
  const program = programs.find(({ name }) =>
    base.startsWith(name) && NAME_END.test(base.slice(name.length))
  );
  if (program === undefined) return null;
  for (let at = 0; at < args.length; at += VALUED.has(args[at]) ? 2 : 1) {
    if (args[at] === program.testArgument) return { program, at: at + 1 };
    if (!args[at].startsWith("-")) return null;
  }
  return null;
}

/** A runner's command as people write it, such as `deno test`. */
export function commandOf({ name, testArgument }: RunnerProgram): string {
  return `${name} ${testArgument}`;
}

/** Programs whose first argument `test` has them run tests. */
const TEST_WORD = new Set("cargo dart go swift zig".split(" "));
/** Test runners that are programs of their own, or scripts that another program runs. */
const RUNNER_SCRIPTS: ReadonlySet<string> = new Set(
  ("ava ctest cypress jasmine jest mocha phpunit playwright prove py.test pytest rspec tap " +
    "uvu vitest").split(" "),
);
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
