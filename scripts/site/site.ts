/**
 * Makes a site with a search box of README.md and docs/, by VitePress, which fails on a dead link. Its packages are installed
 * in `site` the first time.
 *
 * Usage: `npm run site [-- FOLDER]`; the folder is `site/dist` by default.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import process from "node:process";

const root = join(import.meta.dirname!, "../..");
const own = import.meta.dirname!;
/** Where the site is made, with its packages; not part of the project. */
const work = join(root, "site");

/** Documents of the project that are pages, and their names in the site. */
function pages(): Map<string, string> {
  const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  return new Map([
    ["README.md", "index.md"],
    ["CONTRIBUTING.md", "contributing.md"],
    ["CHANGELOG.md", "changelog.md"],
    ["src/build/recipe/README.md", "recipe.md"],
    ["cookbook/README.md", "examples.md"],
    ...docs.map((name) => [`docs/${name}`, name] as const),
  ]);
}

/** A document with its links to other pages as the site has them; a link to another file becomes its text. */
export function sitePage(document: string, text: string, all: ReadonlyMap<string, string>): string {
  return text.replace(/(!?)\[([^\]]+)\]\(([^)\s]+)\)/g, (link, image, label, target) => {
    if (/^(?:https?:|#)/.test(target) || image === "!") return link;
    const [path, anchor] = target.split("#");
    const page = all.get(normalize(join(dirname(document), path)));
    return page === undefined
      ? label
      : `[${label}](./${page}${anchor === undefined ? "" : `#${anchor}`})`;
  });
}

/** In the order in which readers want them; a page that is in none is under "More". */
const SIDEBAR: readonly (readonly [string, readonly string[]])[] = [
  ["Start here", ["index", "set-up", "how-it-works", "examples", "troubleshooting"]],
  ["Kernels", ["embedded-kernel", "own-kernel", "virtual-machines", "without-root", "recipe"]],
  ["Coverage", ["system-calls", "trace", "comparisons", "error-paths", "accuracy", "limits"]],
  ["Tools", ["ci", "store", "editor", "agents", "file-formats"]],
  ["Internals", ["collectors", "protocol", "reliability", "security"]],
  ["Project", ["architecture", "contributing", "changelog"]],
];

function sidebar(names: readonly string[], titles: ReadonlyMap<string, string>): unknown[] {
  const known = new Set(SIDEBAR.flatMap(([, pages]) => pages));
  const groups = [...SIDEBAR, ["More", names.filter((name) => !known.has(name))] as const];
  return groups.filter(([, pages]) => pages.length > 0).map(([text, pages]) => ({
    text,
    items: pages.map((name) => ({
      text: titles.get(name),
      link: name === "index" ? "/" : `/${name}`,
    })),
  }));
}

function stage(source: string): void {
  const all = pages();
  const titles = new Map<string, string>();
  for (const [document, page] of all) {
    const text = readFileSync(join(root, document), "utf8");
    titles.set(page.replace(/\.md$/, ""), /^# (.*)$/m.exec(text)![1]!);
    writeFileSync(join(source, page), sitePage(document, text, all));
  }
  titles.set("index", "Overview");
  titles.set("recipe", "The embedded kernel's options and patches");
  cpSync(join(root, "docs/images"), join(source, "images"), { recursive: true });
  const config = {
    title: "kernelcov",
    description: "Which kernel code did this test run?",
    cleanUrls: true,
    themeConfig: {
      search: { provider: "local" },
      outline: [2, 3],
      sidebar: sidebar([...titles.keys()], titles),
    },
  };
  mkdirSync(join(source, ".vitepress"));
  writeFileSync(
    join(source, ".vitepress/config.mjs"),
    `export default ${JSON.stringify(config, null, 2)};\n`,
  );
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? join(work, "dist"));
  mkdirSync(work, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) {
    copyFileSync(join(own, name), join(work, name));
  }
  if (!existsSync(join(work, "node_modules"))) {
    execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--silent"], {
      cwd: work,
      stdio: "inherit",
    });
  }
  // Beside the packages, so that the pages' components find them.
  const source = join(work, "pages");
  rmSync(source, { recursive: true, force: true });
  mkdirSync(source);
  stage(source);
  const vitepress = join(work, "node_modules/.bin/vitepress");
  execFileSync(vitepress, ["build", source, "--outDir", folder], { cwd: work, stdio: "inherit" });
  console.log(join(folder, "index.html"));
}
