import type { RunnerProgram } from "./runners/runner_arguments.ts";
import type { KcovMode } from "../kcov/abi.ts";

/** What the supervisor's process is to do. */
export interface SuperviseOptions {
  /** The command and its arguments. */
  readonly command: readonly string[];
  /** Where the records go. */
  readonly runDirectory: string;
  /** What they are of together; the supervisor's own invocation by default. */
  readonly run?: string | undefined;
  /** `auto`: each point once where the kernel can, else every hit. */
  readonly mode: KcovMode | "auto";
  /** Size of a KCOV buffer in words; by default what suits the mode. */
  readonly words?: number | undefined;
  /** One record of the whole command, instead of one of what runs outside its tests. */
  readonly record: boolean;
  /** Record the whole command with a collector instead of following it. */
  readonly collect?: boolean;
  /** With `collect`: record comparisons in place of points. */
  readonly compare?: boolean;
  /** Runners whose tests are covered where the command starts them; without it only those that cover themselves are. */
  readonly runners?: readonly RunnerProgram[] | undefined;
  /** Follow the command only to the runners that it starts, and record nothing: their tests record themselves. */
  readonly onlyPreload?: boolean;
  /** Trace as on a kernel without the patches of src/build/recipe. */
  readonly mainline?: boolean;
  /** Names of programs that are detached when they start, with all that they start. */
  readonly noFollow?: readonly string[];
}

const RUNNER_FIELDS: (keyof RunnerProgram)[] = [
  "name",
  "testArgument",
  "otherName",
  "preload",
  "preloadArguments",
];

/** The arguments that {@linkcode parseSuperviseArguments} reads. */
export function superviseArguments(options: SuperviseOptions): string[] {
  return [
    `--run=${options.runDirectory}`,
    `--mode=${options.mode}`,
    ...(options.run === undefined ? [] : [`--run-id=${options.run}`]),
    ...(options.words === undefined ? [] : [`--words=${options.words}`]),
    ...(options.record ? ["--record"] : []),
    ...(options.collect ? ["--collect"] : []),
    ...(options.compare ? ["--compare"] : []),
    ...(options.runners ?? []).map((runner) => `--runner=${JSON.stringify(runner, RUNNER_FIELDS)}`),
    ...(options.onlyPreload ? ["--only-preload"] : []),
    ...(options.mainline ? ["--mainline"] : []),
    ...(options.noFollow ?? []).map((name) => `--no-follow=${name}`),
    "--",
    ...options.command,
  ];
}

/**
 * Reads the arguments of the supervisor's process.
 *
 * @throws {TypeError} Where they are not as `superviseArguments` makes them.
 */
export function parseSuperviseArguments(
  args: readonly string[],
): SuperviseOptions & Required<Pick<SuperviseOptions, "onlyPreload" | "mainline" | "noFollow">> {
  const end = args.indexOf("--");
  const own = args.slice(0, Math.max(end, 0));
  // Not by node:util, which takes longer to load than half of the supervisor.
  function values(name: string): string[] {
    return own.filter((arg) => arg.startsWith(`--${name}=`)).map((arg) =>
      arg.slice(name.length + 3)
    );
  }
  function value(name: string): string | undefined {
    return values(name)[0];
  }
  const runDirectory = value("run");
  const mode = value("mode") ?? "auto";
  const words = value("words");
  if (end < 0 || end + 1 === args.length || runDirectory === undefined) {
    throw new TypeError("Cannot supervise: pass --run=DIR, -- and a command");
  }
  if (mode !== "auto" && mode !== "unique" && mode !== "trace") {
    throw new TypeError(`Cannot supervise in mode "${mode}": use auto, unique or trace`);
  }
  const runners = values("runner").map((text) => JSON.parse(text) as RunnerProgram);
  return {
    command: args.slice(end + 1),
    runDirectory,
    run: value("run-id"),
    mode,
    words: words === undefined ? undefined : Number(words),
    record: own.includes("--record"),
    collect: own.includes("--collect"),
    compare: own.includes("--compare"),
    runners: runners.length === 0 ? undefined : runners,
    onlyPreload: own.includes("--only-preload"),
    mainline: own.includes("--mainline"),
    noFollow: values("no-follow"),
  };
}
