import process from "node:process";
import { didYouMean } from "../base/nearest_names.ts";
import { FormatError, KcovUnavailableError, SyscallError } from "../errors.ts";
import { printable } from "../report/text_style.ts";
import { runtimeName } from "../sys/runtime.ts";
import { guardOutput } from "./guard_output.ts";
import {
  type CommandEntry,
  EXIT_NO_COVERAGE,
  EXIT_USAGE,
  splitArguments,
  UsageError,
  warn,
} from "./command_line.ts";

const COMMANDS: readonly CommandEntry[] = [
  {
    name: "test",
    summary: "run a test command, every covered test recorded, then report",
    needsLibc: true,
    load: async () => (await import("./commands/test.ts")).testCommand,
  },
  {
    name: "record",
    summary: "run any command, all its threads and processes as one record, then report",
    needsLibc: true,
    load: async () => (await import("./commands/record.ts")).recordCommand,
  },
  {
    name: "watch",
    summary: "run the tests that a saved change of the kernel or of a test concerns",
    needsLibc: true,
    load: async () => (await import("./commands/watch.ts")).watchCommand,
  },
  {
    name: "report",
    summary: "the reports of a run, again",
    load: async () => (await import("./commands/report.ts")).reportCommand,
  },
  {
    name: "show",
    summary: "what a test reached",
    load: async () => (await import("./commands/show.ts")).showCommand,
  },
  {
    name: "trace",
    summary: "what a test ran, in order, as calls",
    load: async () => (await import("./commands/trace.ts")).traceCommand,
  },
  {
    name: "comparisons",
    summary: "what a test compared in the kernel, line by line",
    load: async () => (await import("./commands/comparisons.ts")).comparisonsCommand,
  },
  {
    name: "faults",
    summary: "error paths that only failed allocations reached",
    load: async () => (await import("./commands/faults.ts")).faultsCommand,
  },
  {
    name: "which",
    summary: "the tests that run a line, a function or a file, or that a kernel patch needs",
    load: async () => (await import("./commands/which.ts")).whichCommand,
  },
  {
    name: "patch",
    summary: "whether the lines that a kernel patch changes are tested, for people and CI",
    load: async () => (await import("./commands/patch.ts")).patchCommand,
  },
  {
    name: "diff",
    summary: "what two tests or two runs cover differently",
    load: async () => (await import("./commands/diff.ts")).diffCommand,
  },
  {
    name: "minimize",
    summary: "a small set of tests that covers what all tests cover",
    load: async () => (await import("./commands/minimize.ts")).minimizeCommand,
  },
  {
    name: "unique",
    summary: "what only one test covers",
    load: async () => (await import("./commands/unique.ts")).uniqueCommand,
  },
  {
    name: "merge",
    summary: "join runs of one kernel build",
    load: async () => (await import("./commands/merge.ts")).mergeCommand,
  },
  {
    name: "store",
    summary: "many runs of one kernel build: add, list, compact, prune",
    load: async () => (await import("./commands/store.ts")).storeCommand,
  },
  {
    name: "symbolize",
    summary: "raw PCs to source lines",
    load: async () => (await import("./commands/symbolize.ts")).symbolizeCommand,
  },
  {
    name: "kernel",
    summary: "the embedded kernel",
    needsLibc: true,
    load: async () => (await import("./commands/kernel/kernel.ts")).kernelCommand,
  },
  {
    name: "broker",
    summary: "lets users record who are not root",
    needsLibc: true,
    load: async () => (await import("./commands/broker.ts")).brokerCommand,
  },
  {
    name: "mcp",
    summary: "serves these questions to agents, by the Model Context Protocol",
    load: async () => (await import("./mcp/mcp_command.ts")).mcpCommand,
  },
  {
    name: "completion",
    summary: "completes command lines of kernelcov in a shell",
    load: async () => (await import("./help/completion_command.ts")).completionCommand(COMMANDS),
  },
  {
    name: "man",
    summary: "the manual page",
    load: async () => (await import("./help/man_command.ts")).manCommand(COMMANDS),
  },
  {
    name: "doctor",
    summary: "what works here, what does not, and what to change",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand,
  },
];

function help(): string {
  const width = Math.max(...COMMANDS.map((command) => command.name.length));
  return [
    "kernelcov: which kernel code did this test run?",
    "",
    "Usage: kernelcov COMMAND [OPTIONS]",
    "",
    ...COMMANDS.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    "",
    "kernelcov help COMMAND, or COMMAND --help, shows a command's options.\nkernelcov version, or -V, shows the version.",
    "--debug adds stacks to errors.",
    "Exit status: the test command's own; 2 wrong usage; 3 coverage is unavailable.",
    "",
  ].join("\n");
}

/** Runs one command line (without the program's name) and returns the exit status. */
export async function main(args: string[]): Promise<number> {
  const [own] = splitArguments(args);
  const debug = own.includes("--debug");
  const [name, ...rest] = debug
    ? args.filter((arg, i) => arg !== "--debug" || i > own.length)
    : args;
  if (
    name === undefined ||
    ((name === "help" || name === "--help" || name === "-h") && rest.length === 0)
  ) {
    process.stdout.write(help());
    return name === undefined ? EXIT_USAGE : 0;
  }
  if (name === "version" || name === "--version" || name === "-V") {
    const { VERSION } = await import("../version.ts");
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  if (name === "help") {
    const [wanted, ...more] = rest;
    const isHelp = wanted === "help" || wanted === "--help" || wanted === "-h";
    return await main(isHelp ? ["--help"] : [wanted!, ...more, "--help"]);
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) {
    process.stderr.write(
      `kernelcov: Unknown command "${printable(name)}"${
        didYouMean(name, COMMANDS.map((command) => command.name))
      }\nkernelcov --help lists the commands\n`,
    );
    return EXIT_USAGE;
  }
  let usage = "";
  try {
    const { help, run } = await command.load();
    usage = help.slice(0, help.indexOf("\n"));
    const [own] = splitArguments(rest);
    if (!own.includes("--help") && !own.includes("-h")) {
      if (command.needsLibc) checkRuntime(command.name);
      return await run(rest);
    }
    process.stdout.write(help);
    return 0;
  } catch (error) {
    return reportError(error, usage, debug);
  }
}

/** Runs can be asked and reported on Node.js, but not recorded. */
function checkRuntime(name: string): void {
  if (runtimeName() !== "unknown") return;
  throw new KcovUnavailableError(
    "no-libc",
    `${name} needs Deno or Bun, as Node.js cannot call the kernel: npm install -g deno, or npm install -g bun`,
  );
}

function reportError(error: unknown, usage: string, debug: boolean): number {
  const message = error instanceof Error ? error.message : String(error);
  // Names from files and arguments are in messages, and must not drive the terminal.
  const safe = message.split("\n").map(printable).join("\n");
  warn(safe);
  if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (error instanceof UsageError) {
    process.stderr.write(`Usage: ${usage}\n`);
    return EXIT_USAGE;
  }
  if (error instanceof KcovUnavailableError) return EXIT_NO_COVERAGE;
  const expected = error instanceof FormatError || error instanceof SyscallError ||
    error instanceof RangeError || error instanceof TypeError;
  if (!debug && !expected) {
    process.stderr.write("kernelcov --debug … shows where this comes from\n");
  }
  return 1;
}

if (import.meta.main) {
  guardOutput();
  const status = await main(process.argv.slice(2));
  // Output that could not be written has set it already.
  process.exitCode = status === 0 ? process.exitCode ?? 0 : status;
}
