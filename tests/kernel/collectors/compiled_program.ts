import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const OPTIONS = ["-O2", "-Wall", "-Werror", "-Wno-unused-result", "-Wno-unused-function"].concat(
  ["-pthread"],
);

/** Compiles `NAME.c` of this folder into `folder` and returns the program's path. */
export function compiledProgram(name: string, folder: string, options: string[] = []): string {
  const program = join(folder, name);
  const source = fileURLToPath(new URL(`./${name}.c`, import.meta.url));
  const compiler = spawnSync(
    "gcc",
    [...OPTIONS, ...options, "-o", program, source, "-lutil"],
    { encoding: "utf8" },
  );
  assert.equal(compiler.status, 0, compiler.stderr);
  return program;
}
