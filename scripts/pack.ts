/**
 * Makes the npm package: JavaScript and declarations, because Deno strips no types from packages in `node_modules`.
 *
 * `deno pack` compiles what its exports reach, so it packs a copy that exports what is started by path as well. Its
 * package.json knows neither the command nor what is public; those come from the project's own.
 *
 * What runs before any test does is one file each: in an embedded kernel, opening a module takes over a millisecond.
 *
 * Usage: `npm run pack [-- FOLDER]`; prints the package's path.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  globSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";

const root = join(import.meta.dirname!, "..");

/** Public modules, by their names behind the package's. */
const PUBLIC = {
  ".": "./mod",
  "./cli": "./src/cli/main",
  "./preload/deno": "./src/runners/deno/preload",
  "./preload/bun": "./src/runners/bun/preload",
};
/** Modules that nothing imports: they are started, or required when they are needed. */
const BY_PATH = [
  "./src/symbolize/units/unit_worker",
  "./src/kernel/listed_entries",
  "./src/run/write_report",
  "./src/tracer/supervise_main",
];

/**
 * Modules that are packed with all that they import, and what Bun is told that they are for: for itself it leaves
 * `import.meta.main` as it is, and takes the `node:` off names that Deno wants it on. What they load later they find by
 * its path.
 */
const SINGLE_FILE = {
  "src/runners/deno/preload.js": "node",
  "src/runners/bun/preload.js": "bun",
  "src/tracer/supervise_main.js": "bun",
};

/**
 * The library for Node.js, where wrapped tests run without coverage: one file, which Bun writes so that older versions
 * read it too.
 */
const FOR_NODE = "mod_node.js";

interface Package {
  readonly name: string;
  readonly version: string;
  readonly files: readonly string[];
  readonly scripts?: unknown;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly allowScripts?: unknown;
}

function readPackage(): Package {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
}

/** A copy of what is packed, with a configuration that exports every module that nothing imports. */
function stage(folder: string, project: Package): void {
  const { version, files } = project;
  for (const name of [...files, "README.md", "LICENSE"]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  const entries = [...Object.entries(PUBLIC), ...BY_PATH.map((path) => [path, path])];
  const exports = Object.fromEntries(entries.map(([name, path]) => [name, `${path}.ts`]));
  const { compilerOptions } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8"));
  const config = {
    name: "@kernelcov/kernelcov",
    version,
    compilerOptions,
    exports,
    nodeModulesDir: "manual",
  };
  writeFileSync(join(folder, "deno.json"), JSON.stringify(config));
  // What commands import is checked against the project's own packages.
  const { devDependencies, peerDependencies = {} } = project;
  const dependencies = {
    ...project.dependencies,
    ...Object.fromEntries(
      Object.keys(peerDependencies).map((name) => [name, devDependencies[name]]),
    ),
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ dependencies }));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
}

/** The project's package.json without what only its developers need, its modules by their compiled names. */
function publicPackage(project: Package): Record<string, unknown> {
  const { scripts: _scripts, devDependencies: _tools, allowScripts: _allowed, ...rest } = project;
  const exports = Object.entries(PUBLIC).map(([name, path]) => [
    name,
    // Deno and Bun take what is for Node.js too, so theirs is named first.
    name === "."
      ? {
        types: `${path}.d.ts`,
        deno: `${path}.js`,
        bun: `${path}.js`,
        node: `./${FOR_NODE}`,
        default: `${path}.js`,
      }
      : { types: `${path}.d.ts`, default: `${path}.js` },
  ]);
  return {
    ...rest,
    os: ["linux"],
    files: [...project.files.filter((name) => name !== "mod.ts"), "mod.js", "mod.d.ts", FOR_NODE],
    exports: Object.fromEntries(exports),
  };
}

/** Joins a module and all that it imports, the runtime's own modules aside, in a file; its own by default. */
function joinModules(cwd: string, path: string, target: string, file = path): void {
  const joined = `${path}.joined`;
  // Shorter, but with all names: what is started for each run is read and parsed for each.
  const shorter = ["--minify-whitespace", "--minify-syntax"];
  const bun = [
    "build",
    `--target=${target}`,
    "--format=esm",
    ...shorter,
    `--outfile=${joined}`,
    path,
  ];
  execFileSync("bun", bun, { cwd, stdio: ["ignore", "ignore", "pipe"] });
  renameSync(join(cwd, joined), join(cwd, file));
}

/** Makes the package in `folder` and returns its path. */
export function pack(folder: string): string {
  const project = readPackage();
  const work = mkdtempSync(join(tmpdir(), "kernelcov-pack-"));
  try {
    stage(work, project);
    const packed = join(work, "packed.tgz");
    const deno = ["pack", "--allow-dirty", "--no-source-maps", "--output", packed];
    execFileSync("deno", deno, { cwd: work, stdio: ["ignore", "ignore", "pipe"] });
    execFileSync("tar", ["xzf", packed, "-C", work]);
    const result = join(work, "package");
    const uncompiled = globSync("**/*.ts", { cwd: result }).filter((path) =>
      !path.endsWith(".d.ts")
    );
    if (uncompiled.length > 0) {
      throw new RangeError(
        `Nothing imports ${uncompiled.join(", ")}: remove it, or add it to BY_PATH`,
      );
    }
    for (const [path, target] of Object.entries(SINGLE_FILE)) joinModules(result, path, target);
    joinModules(result, "mod.js", "node", FOR_NODE);
    chmodSync(join(result, "src/cli/kernelcov"), 0o755);
    writeFileSync(join(result, "package.json"), JSON.stringify(publicPackage(project), null, 2));
    const npm = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
    const name = execFileSync("npm", npm, { cwd: result, encoding: "utf8" }).trim();
    return join(folder, name);
  } finally {
    rmSync(work, { recursive: true });
  }
}

if (import.meta.main) console.log(pack(resolve(process.argv[2] ?? ".")));
