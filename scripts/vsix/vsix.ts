/**
 * Packs the editor's extension as a `.vsix`, by Visual Studio Code's own packer, whose packages are installed in
 * `editors/vscode/tools` the first time.
 *
 * Usage: `npm run vsix [-- FOLDER]`; prints the file's path.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";

const root = join(import.meta.dirname!, "../..");
const extension = join(root, "editors/vscode");
/** Where the packer is installed; not part of the project. */
const tools = join(extension, "tools");

/** Makes the file in `folder` and returns its path. */
export function packExtension(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(extension, "package.json"), "utf8"));
  const file = join(resolve(folder), `${name}-${version}.vsix`);
  const vsce = packer();
  const staged = mkdtempSync(join(tmpdir(), "kernelcov-vsix-"));
  try {
    mkdirSync(join(staged, "dist"));
    run("bun", [
      ...["build", "--target=node", "--format=cjs", "--external", "vscode"],
      `--outfile=${join(staged, "dist/extension.js")}`,
      join(extension, "src", "extension.ts"),
    ], root);
    copyFileSync(join(extension, "package.json"), join(staged, "package.json"));
    copyFileSync(join(root, "LICENSE"), join(staged, "LICENSE"));
    // The editor shows it as a page of its own, from which paths of the project lead nowhere.
    const page = readFileSync(join(extension, "README.md"), "utf8");
    writeFileSync(
      join(staged, "README.md"),
      page.replace(/\[([^\]]+)\]\((?!https?:)[^)\s]+\)/g, "$1"),
    );
    // It wants to be told that there is nothing else to leave out.
    writeFileSync(join(staged, ".vscodeignore"), "");
    const options = ["--no-dependencies", "--allow-missing-repository", "--skip-license"];
    run(vsce, ["package", ...options, "--out", file], staged);
    return file;
  } finally {
    rmSync(staged, { recursive: true });
  }
}

function packer(): string {
  const vsce = join(tools, "node_modules/.bin/vsce");
  if (existsSync(vsce)) return vsce;
  mkdirSync(tools, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) {
    copyFileSync(join(import.meta.dirname!, name), join(tools, name));
  }
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error", "--omit=optional"], tools);
  return vsce;
}

function run(program: string, args: readonly string[], cwd: string): void {
  execFileSync(program, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
}

if (import.meta.main) console.log(packExtension(process.argv[2] ?? root));
