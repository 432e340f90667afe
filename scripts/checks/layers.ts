/**
 * Checks the files of the project against its plan. In `src`: a file imports from its own folder and from folders before it,
 * and never in a circle, types included; folders that take data and return data import nothing of the runtime; only the
 * folders made for it name a runtime; no plain `Error` is thrown; no file is long. Everywhere: no folder is full. And
 * what documents and comments call by its path is there.
 *
 *   npm run check:layers
 */
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import process from "node:process";

/** Folders of `src` from left to right of the flow; each of a line may import from those of the lines above it. */
const ORDER: readonly (readonly string[])[] = [
  [""],
  ["base"],
  ["elf", "sys"],
  ["dwarf", "kcov", "points"],
  ["record"],
  ["kernel/image"],
  ["kernel"],
  ["build", "tracer", "symbolize/units"],
  ["symbolize/index"],
  ["symbolize/lookup"],
  ["coverage"],
  ["machines", "report", "store"],
  ["run"],
  ["assertions"],
  ["hook"],
  ["runners"],
  ["cli"],
];
/** Folders that take bytes and data and return data. */
const PURE = ["base", "elf", "dwarf", "points", "coverage", "report"];
const RUNTIME_AWARE = ["sys", "hook", "runners"];
const MAX_LINES = 500;
const MAX_FILES = 20;
/** Folders of test cases and of the site's pages, which a list of its own orders. */
const LISTED = /^(tests\/runners\/corpus|docs)\//;

const RANKS = new Map(ORDER.flatMap((names, rank) => names.map((name) => [name, rank])));

/** A file of `src`, by its path in the project, and the files there that it imports. */
interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

/** What breaks the plan in the project at `root`, one line each. */
export function layerProblems(root: string): string[] {
  const sources = filesBelow(root, "src").filter((path) => /\.(?:ts|js)$/.test(path)).map((path) =>
    readSource(root, path)
  );
  return [
    ...sources.filter(({ path }) => path.endsWith(".ts")).flatMap(sourceProblems),
    ...circles(sources),
    ...["cookbook", "docs", "examples", "scripts", "src", "tests"].flatMap((name) =>
      fullFolders(root, name)
    ),
    ...lostNames(root),
  ];
}

/** Paths of all files in a folder, in order. */
function filesBelow(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries.sort((a, b) => a.name < b.name ? -1 : 1).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(root, path) : [path];
  });
}

function readSource(root: string, path: string): Source {
  const text = readFileSync(join(root, path), "utf8");
  const imports = specifiersOf(text).filter((name) => name.startsWith("."))
    .map((name) => normalize(join(dirname(path), name)));
  return { path, text, imports };
}

/** What code imports, types included; not what comments show or what they import for types of JavaScript. */
function specifiersOf(text: string): string[] {
  const code = text.replace(/^\s*(?:\*|\/\/|\/\*).*/gm, "");
  return [...code.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1]);
}

/** The folder in the order that a file of `src` is in; `undefined` where it is in none. */
function folderOf(path: string): string | undefined {
  const parts = path.split("/").slice(1, -1);
  if (parts.length === 0) return "";
  for (let length = parts.length; length > 0; length--) {
    const name = parts.slice(0, length).join("/");
    if (RANKS.has(name)) return name;
  }
  return undefined;
}

function sourceProblems({ path, text, imports }: Source): string[] {
  const problems: string[] = [];
  const folder = folderOf(path);
  if (folder === undefined) return [`${path}: its folder has no place in scripts/checks/layers.ts`];
  const [top] = folder.split("/");
  const lines = text.split("\n");
  if (lines.length > MAX_LINES + 1) {
    problems.push(`${path}: ${lines.length} lines, over ${MAX_LINES}`);
  }
  for (const specifier of PURE.includes(top!) ? specifiersOf(text) : []) {
    if (!specifier.startsWith("node:")) continue;
    problems.push(`${path}: imports ${specifier}, but ${top} takes data and returns data`);
  }
  for (const target of imports.map(folderOf)) {
    if (target === folder || RANKS.get(target ?? "cli")! < RANKS.get(folder)!) continue;
    problems.push(`${path}: imports from ${target}, which does not rank below ${folder}`);
  }
  lines.forEach((line, index) => {
    const code = line.replace(/^\s*(?:\*|\/\/|\/\*).*/, "");
    const at = `${path}:${index + 1}`;
    if (!RUNTIME_AWARE.includes(top!) && /\b(?:Deno|Bun)\.|"bun:/.test(code)) {
      problems.push(`${at}: names a runtime outside ${RUNTIME_AWARE.join(", ")}`);
    }
    if (/new Error\(/.test(code)) {
      problems.push(`${at}: a plain Error cannot be told apart by callers`);
    }
  });
  return problems;
}

/** Circles of imports: from each file that is in one, the way back to it, once. */
function circles(sources: readonly Source[]): string[] {
  const imports = new Map(sources.map((source) => [source.path, source.imports]));
  const done = new Set<string>();
  const found: string[] = [];
  function visit(path: string, way: readonly string[]): void {
    const from = way.indexOf(path);
    if (from >= 0) found.push(`${[...way.slice(from), path].join(" -> ")}: imports in a circle`);
    if (from >= 0 || done.has(path)) return;
    for (const target of imports.get(path) ?? []) visit(target, [...way, path]);
    done.add(path);
  }
  for (const { path } of sources) visit(path, []);
  return found;
}

function fullFolders(root: string, name: string): string[] {
  return [...Map.groupBy(filesBelow(root, name), dirname)]
    .filter(([folder, files]) => files.length > MAX_FILES && !LISTED.test(`${folder}/`))
    .map(([folder, files]) => `${folder}: ${files.length} files, over ${MAX_FILES}`);
}

/** Documents and comments that name a file or folder of the project that is not there. */
function lostNames(root: string): string[] {
  const below = ["cookbook", "docs", "examples", "scripts", "src"].flatMap((name) =>
    filesBelow(root, name)
  );
  const documents = [...globSync("*.md", { cwd: root }), ...below];
  const problems: string[] = [];
  for (const document of documents) {
    const text = readFileSync(join(root, document), "utf8");
    const links = document.endsWith(".md")
      ? [...text.matchAll(/\]\(([\w./-]+)(?:#[^)]*)?\)/g)]
      : [];
    const wanted = links.map(([, link]) => [link!, normalize(join(dirname(document), link!))]);
    const names = text.matchAll(
      /(?<![\w./$}-])(?:cookbook|docs|examples|scripts|src|tests)\/[\w./*-]*[\w*](?![\w./*-]*\$)/g,
    );
    wanted.push(...[...names].map(([name]) => [name, name]));
    for (const [name, path] of wanted) {
      // A package has modules compiled.
      const patterns = [path!, path!.replace(/\.js$/, ".ts")];
      if (globSync(patterns, { cwd: root }).length > 0) continue;
      problems.push(`${document}: names ${name}, which is not there`);
    }
  }
  return problems;
}

if (import.meta.main) {
  const problems = layerProblems(join(import.meta.dirname!, "../.."));
  for (const problem of problems) console.error(problem);
  console.log(problems.length === 0 ? "layers: ok" : `layers: ${problems.length} problems`);
  process.exit(problems.length === 0 ? 0 : 1);
}
