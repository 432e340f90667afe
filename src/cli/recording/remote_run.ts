import { spawn, type StdioOptions } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { KcovUnavailableError } from "../../errors.ts";
import { installCommand } from "../../build/debian_packages.ts";
import { UsageError } from "../command_line.ts";

/** Another machine, as `--kernel ssh://[USER@]HOST[:PORT][/FOLDER]` names it. */
export interface RemoteMachine {
  /** Arguments of ssh(1) that name it. */
  readonly destination: readonly string[];
  /** Folder there to run in; `undefined` for a copy of the current one. */
  readonly folder: string | undefined;
}

/** The package's own folder. */
const PACKAGE = fileURLToPath(new URL("../../..", import.meta.url));
/** Files of it that a machine needs: in a checkout, or as packed. */
const LIBRARY = ["package.json", "deno.json", "mod.ts", "mod.js", "mod_node.js", "src"];

/**
 * The machine that `--kernel` names; `undefined` where it names no other machine.
 *
 * @throws {UsageError} The URL is not one of ssh.
 */
export function remoteMachine(kernel: string | undefined): RemoteMachine | undefined {
  if (kernel === undefined || !kernel.startsWith("ssh:")) return undefined;
  const match =
    /^ssh:\/\/(?:([^-@/:\s][^@/:\s]*)@)?([^-@/:\s[\]][^@/:\s[\]]*|\[[\da-fA-F:.]+\])(?::(\d+))?(\/.*)?$/
      .exec(kernel);
  if (match === null) {
    throw new UsageError(`${kernel} is not a machine: use ssh://[USER@]HOST[:PORT][/FOLDER]`);
  }
  const [, user, host, port, folder] = match;
  return {
    destination: [
      ...user === undefined ? [] : ["-l", user],
      ...port === undefined ? [] : ["-p", port],
      host!.replace(/^\[|\]$/g, ""),
    ],
    folder: folder === undefined || folder === "/" ? undefined : decodeURIComponent(folder),
  };
}

/** A command of kernelcov to run on another machine. */
export interface RemoteCommand {
  /** `test` or `record`. */
  readonly name: string;
  /** Options and their values, without those that say where it runs and where its output goes. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly command: readonly string[];
  /** Folder for the output, here. */
  readonly out: string;
}

/**
 * Runs a command of kernelcov on another machine, on the kernel that runs there, and brings the output folder back. The
 * library goes there once for each version; the current folder for each run, unless the URL names one.
 *
 * @returns the command's exit status
 * @throws {KcovUnavailableError} The machine cannot be reached, or a step on it failed.
 */
export async function runRemotely(
  machine: RemoteMachine,
  { name, values, command, out }: RemoteCommand,
): Promise<number> {
  const { library, work } = await prepare(machine);
  const local = resolve(out), there = `${work}/out`;
  try {
    const folder = machine.folder ?? `${work}/project`;
    if (machine.folder === undefined) await sendProject(machine, folder, local);
    mkdirSync(local, { recursive: true });
    // A run replaces the tests that it ran, of those that earlier runs recorded.
    if (existsSync(join(local, "run"))) {
      await send(machine, "send the records of earlier runs", local, ["run"], there);
    }
    const words = [
      ...[`${library}/src/cli/kernelcov`, name, ...argumentsOf(values)],
      ...["--kernel", "host", "--out", there, "--", ...command],
    ];
    const script = `cd ${quote(folder)} && exec ${line(words)}`;
    const status = await run(sshWords(machine, script, isTerminal()), "inherit");
    // Also where nothing was recorded. Without a connection this fails.
    const pack = sshWords(machine, `mkdir -p ${quote(there)} && tar -cf - -C ${quote(there)} .`);
    await pipe(machine, "bring the records back", [
      pack,
      ["tar", "-xf", "-", "-C", local, "--no-same-owner"],
    ]);
    return status;
  } finally {
    await run(sshWords(machine, `rm -rf ${quote(work)}`), "ignore");
  }
}

function isTerminal(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

/** Options as a command line has them. */
export function argumentsOf(values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    name === "kernel" || name === "out" || value === undefined || value === false
      ? []
      : value === true
      ? [`--${name}`]
      : (Array.isArray(value) ? value : [value]).map((each) => `--${name}=${each}`)
  );
}

/** A word for a POSIX shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function line(words: readonly string[]): string {
  return words.map(quote).join(" ");
}

/** Makes a folder there for the run, and sends the library unless this version of it is there: the paths of both. */
async function prepare(machine: RemoteMachine): Promise<{ library: string; work: string }> {
  const what = "make a folder";
  const script = `library=$HOME/.cache/kernelcov/library/${libraryHash()}
work=$(mktemp -d "\${TMPDIR:-/tmp}/kernelcov-XXXXXX") || exit 1
printf "kernelcov %s\\n" "$library" "$work"
[ ! -e "$library/complete" ] || echo kernelcov there`;
  const [library, work, there] = await linesFrom(machine, what, script);
  if (library === undefined || work === undefined) throw failure(machine, what);
  if (there !== "there") {
    const files = LIBRARY.filter((name) => existsSync(join(PACKAGE, name)));
    const mark = `: >${quote(`${library}/complete`)}`;
    await send(machine, "send the library", PACKAGE, files, library, { then: mark });
  }
  return { library, work };
}

/** Changes with the library's files. */
function libraryHash(): string {
  const hash = createHash("sha256");
  for (const name of LIBRARY) {
    const path = join(PACKAGE, name);
    if (!existsSync(path)) continue;
    const files = statSync(path).isDirectory() ? filesBelow(path) : [path];
    for (const file of files) {
      hash.update(`${relative(PACKAGE, file)}\n`).update(readFileSync(file));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort();
}

/** Sends the current folder, without git's and the output. */
async function sendProject(machine: RemoteMachine, to: string, out: string): Promise<void> {
  const own = relative(process.cwd(), out);
  const excluded = ["./.git", ...own.startsWith("..") || own === "" ? [] : [`./${own}`]];
  await send(machine, "send the current folder", process.cwd(), ["."], to, { excluded });
}

/**
 * Copies files of a folder into another one there, which is made.
 *
 * @param then a script to run there afterwards
 */
async function send(
  machine: RemoteMachine,
  what: string,
  from: string,
  names: readonly string[],
  to: string,
  { excluded = [], then = ":" }: { readonly excluded?: readonly string[]; readonly then?: string } =
    {},
): Promise<void> {
  const pack = [
    ...["tar", "-cf", "-", "-C", from, "--no-wildcards", "--anchored"],
    ...excluded.map((path) => `--exclude=${path}`),
    ...["--", ...names],
  ];
  const script = `mkdir -p ${quote(to)} && tar -xf - -C ${quote(to)} --no-same-owner && ${then}`;
  await pipe(machine, what, [pack, sshWords(machine, script)]);
}

/** What a script there prints behind the word `kernelcov`, whatever the shell's own files print. */
async function linesFrom(machine: RemoteMachine, what: string, script: string): Promise<string[]> {
  let output = "";
  const status = await run(sshWords(machine, script), ["ignore", "pipe", "inherit"], (text) => {
    output += text;
  });
  if (status !== 0) throw failure(machine, what);
  return [...output.matchAll(/^kernelcov (.+)$/gm)].map(([, value]) => value!);
}

/** Runs programs of which each reads what the one before it writes. */
async function pipe(
  machine: RemoteMachine,
  what: string,
  programs: readonly (readonly string[])[],
): Promise<void> {
  // A shell's pipe: what goes through need not go through this process.
  const script = `set -o pipefail; ${programs.map(line).join(" | ")}`;
  const status = await run(["bash", "-c", script], ["ignore", "inherit", "inherit"]);
  if (status !== 0) throw failure(machine, what);
}

function failure({ destination }: RemoteMachine, what: string): KcovUnavailableError {
  return new KcovUnavailableError(
    "not-permitted",
    `Cannot ${what} on ${destination.at(-1)}: check that "ssh ${
      destination.join(" ")
    } tar --version" works without a question, and the free space there`,
  );
}

/** The command that runs a script there: the user's shell need not be a POSIX one. */
function sshWords({ destination }: RemoteMachine, script: string, terminal = false): string[] {
  const options = [terminal ? "-t" : "-T", "-o", "LogLevel=ERROR"];
  return ["ssh", ...options, ...destination, `exec sh -c ${quote(script)}`];
}

function run(
  [program, ...args]: readonly string[],
  stdio: StdioOptions,
  take?: (text: string) => void,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const child = spawn(program!, args, { stdio });
  child.stdout?.on("data", (bytes) => take?.(String(bytes)));
  child.on("error", (cause) => {
    const missing = installCommand([program === "ssh" ? "openssh-client" : program!]);
    const message = `Another machine needs ${program} here: ${missing}`;
    reject(new KcovUnavailableError("not-built-in", message, { cause }));
  });
  child.on("close", (code, signal) => resolve(code ?? (signal === null ? 1 : 143)));
  return promise;
}
