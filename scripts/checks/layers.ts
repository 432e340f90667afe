/**
 * Holds the imports of `src` against the order of its folders: a file may import from its own folder and from
 * folders of a lower rank. Also: only the runtime-aware folders name a runtime, no plain `Error` is thrown, and no
 * file has more than 500 lines.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import process from "node:process";

const RANK: Record<string, number> = {
  "": 0,
  base: 1,
  elf: 2,
  sys: 2,
  dwarf: 3,
  kcov: 3,
  points: 3,
  record: 4,
  kernel: 5,
  build: 6,
  tracer: 6,
  symbolize: 6,
  coverage: 7,
  store: 8,
  report: 8,
  machines: 8,
  run: 9,
  assertions: 10,
  hook: 11,
  runners: 12,
  cli: 13,
};
/** Folders that take bytes and data and return data. */
const PURE = ["base", "elf", "dwarf", "points", "coverage", "report"];
const RUNTIME_AWARE = ["sys", "hook", "runners"];
const MAX_LINES = 500;

const root = join(import.meta.dirname!, "../..");
const problems: string[] = [];

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? sources(path) : path.endsWith(".ts") ? [path] : [];
  });
}

function folderOf(path: string): string {
  const parts = relative(join(root, "src"), path).split("/");
  return parts.length === 1 ? "" : parts[0]!;
}

for (const path of sources(join(root, "src"))) {
  const name = relative(root, path);
  const folder = folderOf(path);
  const text = readFileSync(path, "utf8");
  const lines = text.split("\n");
  if (RANK[folder] === undefined) {
    problems.push(`${name}: the folder has no rank in scripts/checks/layers.ts`);
  }
  if (lines.length > MAX_LINES + 1) {
    problems.push(`${name}: ${lines.length} lines, over ${MAX_LINES}`);
  }
  for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
    if (specifier!.startsWith("node:") && PURE.includes(folder)) {
      problems.push(`${name}: imports ${specifier}, but ${folder} takes data and returns data`);
    }
    if (!specifier!.startsWith(".")) continue;
    const target = folderOf(normalize(join(dirname(path), specifier!)));
    if (target !== folder && !(RANK[target]! < RANK[folder]!)) {
      problems.push(`${name}: imports from ${target}, which does not rank below ${folder}`);
    }
  }
  lines.forEach((line, index) => {
    const code = line.replace(/^\s*(?:\*|\/\/|\/\*).*/, "");
    const at = `${name}:${index + 1}`;
    if (!RUNTIME_AWARE.includes(folder) && /\b(?:Deno|Bun)\.|"bun:/.test(code)) {
      problems.push(`${at}: names a runtime outside ${RUNTIME_AWARE.join(" and ")}`);
    }
    if (/new Error\(/.test(code)) {
      problems.push(`${at}: a plain Error cannot be told apart by callers`);
    }
  });
}

for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? "layers: ok" : `layers: ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
