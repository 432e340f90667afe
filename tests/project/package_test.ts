import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { VERSION } from "../../src/version.ts";

const root = join(import.meta.dirname!, "../..");

function json(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(root, name), "utf8"));
}

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? sources(path) : path.endsWith(".ts") ? [path] : [];
  });
}

test("package.json, deno.json and the command agree on the version", () => {
  assert.equal(json("package.json").version, VERSION);
  assert.equal(json("deno.json").version, VERSION);
});

test("the library's public module imports nothing but itself and node builtins", () => {
  // Folders of the core: what a test imports must not pull in a dependency.
  const core = [
    "sys",
    "kcov",
    "tracer",
    "record",
    "kernel",
    "elf",
    "dwarf",
    "points",
    "symbolize",
    "coverage",
    "build",
    "run",
    "report",
    "assertions",
    "hook",
    "runners",
    "base",
  ];
  for (const path of core.flatMap((name) => sources(join(root, "src", name)))) {
    // Without the examples in comments.
    const text = readFileSync(path, "utf8").replace(/\/\*[^]*?\*\//g, "");
    for (const [, specifier] of text.matchAll(/^(?:import|export)[^"]*from\s+"([^"]+)"/gm)) {
      assert.match(specifier!, /^(?:\.{1,2}\/|node:|bun:ffi$)/, `${path} imports ${specifier}`);
    }
  }
});

test("runtimes and compilers are pinned to one version each", () => {
  const { devDependencies = {} } = json("package.json") as {
    devDependencies?: Record<string, string>;
  };
  for (const [name, version] of Object.entries(devDependencies)) {
    assert.match(version, /^\d+\.\d+\.\d+(?:-r\.\d+)?$/, `${name} ${version}`);
  }
});

test("the README stays within 130 lines", () => {
  assert.ok(readFileSync(join(root, "README.md"), "utf8").trimEnd().split("\n").length <= 130);
});
