import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { mainModule } from "../sys/runtime.ts";
import { eachLabel } from "./each_label.ts";
import type { TestIdentity } from "./kernel_coverage.ts";
import { withOwnBuiltins } from "./own_builtins.ts";

/** A place in a source file. */
export interface CallSite {
  /** Absolute path. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** Working folder at the start: a test may change it. */
const startFolder = process.cwd();

/**
 * Where `callee` was called, from the stack; `undefined` where the stack does not tell.
 *
 * @param callee The function whose caller is wanted.
 */
export function callSite(callee: (...rest: never[]) => unknown): CallSite | undefined {
  const holder: { stack?: string } = {};
  captureStackTrace(holder, callee);
  return withOwnBuiltins(() => siteOf(holder.stack ?? ""));
}

const { captureStackTrace } = Error;

function siteOf(stack: string): CallSite | undefined {
  const frame = stack.split("\n").find((line) => /^\s+at /.test(line)) ?? "";
  // "at name (place:line:column)" or "at place:line:column"
  const place = /^\s+at (?:.* \((.*)\)|(?:async )?(.*))$/.exec(frame);
  const match = /^(.*):(\d+):(\d+)$/.exec(place?.[1] ?? place?.[2] ?? "");
  const path = match === null ? undefined : pathOf(match[1]);
  if (match === null || path === undefined) return undefined;
  return { path, line: Number(match[2]), column: Number(match[3]) };
}

function pathOf(place: string): string | undefined {
  if (place.startsWith("file://")) return fileURLToPath(place);
  return place.startsWith("/") ? place : undefined;
}

/** What the runners pass to a test: Deno's `t`, or that of node:test in both runtimes. */
export interface TestContext {
  readonly name: string;
  readonly parent?: TestContext;
  /** node:test: suites, tests and this one, joined by " > ". */
  readonly fullName?: string;
}

/** Whether a value is what runners pass to a test to speak of it. */
export function isContext(value: unknown): value is TestContext {
  if (typeof value !== "object" || value === null) return false;
  const { name, fullName, step } = value as Record<string, unknown>;
  // A row of test.each may have a name as well, but not these.
  return typeof name === "string" && (typeof fullName === "string" || typeof step === "function");
}

/** A test's full name, suites and tests before steps. */
export function contextName(context: TestContext): string {
  if (context.fullName !== undefined) return context.fullName;
  const names = [context.name];
  for (let parent = context.parent; parent !== undefined; parent = parent.parent) {
    names.unshift(parent.name);
  }
  return names.join(" > ");
}

/**
 * Names a test: by the option, else by the context that the runner passes, else by the text before the call in the
 * source (bun:test passes nothing), else by the body's own name, else by the place of the call.
 *
 * @param rest What the runner passed to the test.
 * @param bodyName The name of the body; empty where it has none.
 */
export function identify(
  option: string | undefined,
  rest: readonly unknown[],
  site: CallSite | undefined,
  bodyName = "",
): TestIdentity {
  const file = currentFile(site);
  if (option !== undefined) return { name: option, file };
  const context = rest.find(isContext);
  if (context !== undefined) return { name: contextName(context), file };
  const label = site && labelBefore(site);
  if (label !== undefined) {
    return { name: rest.length === 0 ? label : eachLabel(label, rest, undefined), file };
  }
  if (bodyName !== "") return { name: bodyName, file };
  const place = site && `${relative(startFolder, site.path)}:${site.line}`;
  return { name: place ?? "unnamed test", file };
}

/**
 * The file whose tests are declared or run now, relative to the folder that the runner was started in; that of `site`
 * where the runtime does not tell, else empty.
 */
export function currentFile(site?: CallSite): string {
  const main = mainModule();
  const path = pathOf(main) ?? (main === "" ? site?.path : resolve(startFolder, main));
  return path === undefined ? "" : relative(startFolder, path);
}

const sources = new Map<string, readonly string[]>();

function sourceLines(path: string): readonly string[] {
  let lines = sources.get(path);
  if (lines === undefined) {
    try {
      lines = readFileSync(path, "utf8").split("\n");
    } catch {
      lines = []; // not readable: the test is named by its place
    }
    sources.set(path, lines);
  }
  return lines;
}

/** The first argument of a call, a string, and perhaps options, with nothing behind. */
const LABEL =
  /\(\s*(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\$]|\\.|\$(?!\{))*)`)\s*,\s*(?:\{[^{}]*\}\s*,\s*)?$/;

/** The string before the call in `test("string", wrapper(…))`; `undefined` where something else stands there. */
function labelBefore({ path, line, column }: CallSite): string | undefined {
  const lines = sourceLines(path);
  const here = lines[line - 1];
  if (here === undefined) return undefined;
  // A name, options and line breaks rarely take more than a few lines.
  const before = [...lines.slice(Math.max(0, line - 8), line - 1), here.slice(0, column - 1)];
  const text = before.join("\n").replace(/(?:[\w$]+\s*\.\s*)+$/, "");
  const match = LABEL.exec(text);
  const label = match?.[1] ?? match?.[2] ?? match?.[3];
  return label === undefined ? undefined : unescape(label);
}

const ESCAPES: Record<string, string> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", v: "\v" };

function unescape(literal: string): string {
  return literal.replace(
    /\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([^]))/g,
    (_, braced?: string, four?: string, two?: string, other?: string) => {
      const code = braced ?? four ?? two;
      if (code !== undefined) return String.fromCodePoint(parseInt(code, 16));
      return ESCAPES[other!] ?? other!;
    },
  );
}
