import process from "node:process";
import { VERSION } from "../../version.ts";
import { type Command, type CommandEntry, parseCommandLine, UsageError } from "../command_line.ts";
import { helpParts } from "./help_text.ts";

/** Variables that users set, and what each does. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  KERNELCOV:
    "require: it is an error where wrapped tests have no coverage; off: they are not recorded",
  KERNELCOV_BROKER: "socket of the broker",
  KERNELCOV_MODULES: "folders with the kernel's modules, separated by colons",
  KERNELCOV_RUNTIME:
    "what runs the command: deno, bun or node; by default the first of them on the PATH",
  KERNELCOV_VMLINUX: "the kernel's image with debug information",
  XDG_CACHE_HOME: "the cache is kernelcov in this folder; ~/.cache by default",
};

const EXIT_STATUS: Readonly<Record<string, string>> = {
  "0": "Success; of test and record, that of the command that was run",
  "1": "A run, an image or a file could not be read or written",
  "2": "Wrong usage",
  "3": "No coverage, or the embedded kernel ended before the command",
  "4": "Coverage below --min-lines",
  "124": "The time limit",
};

/** `kernelcov man`: the manual page. */
export function manCommand(commands: readonly CommandEntry[]): Command {
  return {
    help: `kernelcov man
    Prints the manual page, made of what --help shows: kernelcov man | man -l -
`,
    run: (args) => run(args, commands),
  };
}

async function run(args: string[], commands: readonly CommandEntry[]): Promise<number> {
  const { operands, command } = parseCommandLine(args, {});
  const [extra] = [...operands, ...command];
  if (extra !== undefined) {
    throw new UsageError(`Unexpected "${extra}": kernelcov help COMMAND is about one command`);
  }
  process.stdout.write(await manualPage(commands));
  return 0;
}

/** The manual page, in the man macros of roff. */
async function manualPage(commands: readonly CommandEntry[]): Promise<string> {
  const parts = [
    `.TH KERNELCOV 1 "" "kernelcov ${VERSION}" "User Commands"`,
    ".SH NAME",
    "kernelcov \\- which kernel code did this test run?",
    ".SH SYNOPSIS",
    ".B kernelcov",
    ".I COMMAND",
    "[\\fIOPTIONS\\fR]",
    ".SH COMMANDS",
  ];
  for (const { name, summary, load } of commands) {
    parts.push(`.SS ${roff(name)}`, `${line(summary)}.`);
    for (const { usages, paragraph, rows } of helpParts((await load()).help)) {
      parts.push(
        ".PP",
        ...usages.flatMap((usage, at) => [...at > 0 ? [".br"] : [], `.B ${quoted(usage)}`]),
      );
      if (paragraph !== "") parts.push(".PP", line(paragraph));
      parts.push(...rows.flatMap(({ term, text }) => entry(term, text)));
    }
  }
  parts.push(".SH EXIT STATUS", ...table(EXIT_STATUS));
  parts.push(".SH ENVIRONMENT", ...table(ENVIRONMENT));
  parts.push(
    ".SH FILES",
    ...entry("coverage/kernel", "reports, and the records in run"),
    ...entry("~/.cache/kernelcov", "embedded kernels, and what is known of images"),
  );
  return `${parts.join("\n")}\n`;
}

function table(rows: Readonly<Record<string, string>>): string[] {
  return Object.entries(rows).flatMap(([term, text]) => entry(term, text));
}

function entry(term: string, text: string): string[] {
  return [".TP", `.B ${quoted(term)}`, line(text)];
}

/** An argument of a macro. */
function quoted(text: string): string {
  return `"${roff(text).replaceAll('"', "\\(dq")}"`;
}

/** A line of text: a point or an apostrophe in front would make it a request. */
function line(text: string): string {
  return roff(text).replace(/^[.']/, "\\&$&");
}

function roff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "...");
}
