/**
 * From a saved source of the kernel to the results of the tests that it concerns, by stage: `kernelcov watch` on Debian's
 * 6.12, with a return value of `fs/pipe.c` changed (the test that expects another one fails), put back (it passes), and a
 * header saved that other files include. Beside it: `make` of the same change alone. Exit status 1 where a test does not
 * end as it has to.
 *
 * Goals: 5 s from saving fs/pipe.c, 20 s from saving the header, on two cores.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { prepareTree } from "../../src/build/tree/build_tree.ts";
import { makeArguments, makeEnvironment } from "../../src/build/kernel_make.ts";
import { cacheFolder } from "../../src/build/kernel_folder.ts";
import { debianTree } from "../checks/debian_tree.ts";
import { noteRow } from "./bench_row.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const tree = process.env["KERNELCOV_BENCH_TREE"] ??
  debianTree("6.12", join(cacheFolder(), "bench"));
const PIPE = join(tree, "fs/pipe.c"), HEADER = join(tree, "include/linux/pipe_fs_i.h");
const original = { pipe: readFileSync(PIPE, "utf8"), header: readFileSync(HEADER, "utf8") };
const folder = mkdtempSync(join(tmpdir(), "kernelcov-bench-"));
const args = ["watch", "--source", tree, "--out", join(folder, "out"), "--"];
const child = spawn(
  join(ROOT, "src/cli/kernelcov"),
  [...args, "bun", "test", "./examples/pipes_test.ts"],
  { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] },
);
let output = "";
let seen = 0;
let wake: () => void = () => {};
for (const stream of [child.stdout, child.stderr]) {
  stream.on("data", (bytes) => {
    output += bytes;
    wake();
  });
}
let ended = false;
child.on("close", () => {
  ended = true;
  wake();
});

/** What is said until the session waits again. */
async function said(): Promise<string> {
  for (;;) {
    const end = output.indexOf("Waiting for changes", seen);
    if (end >= 0) {
      const text = output.slice(seen, end);
      seen = end + 1;
      return text;
    }
    if (ended) return output.slice(seen);
    await new Promise<void>((resolve) => wake = resolve);
  }
}

async function save(
  what: string,
  path: string,
  text: string,
  expected: RegExp,
): Promise<void> {
  const started = performance.now();
  writeFileSync(path, text);
  const answer = await said();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const stages = /^(?:compile|build) .*/m.exec(answer)?.[0] ?? "no stages";
  const ok = expected.test(answer);
  if (!ok) process.exitCode = 1;
  console.log(`${ok ? "ok    " : "FAILED"} ${what}: ${seconds} s (${stages})`);
  noteRow({ what, figure: `${seconds} s`, peer: "", ratio: "" });
  if (!ok) console.log(answer);
}

try {
  await said();
  const changed = original.pipe.replace("ret = -EAGAIN;", "ret = -EBUSY;");
  for (let round = 0; round < 3; round++) {
    await save("fs/pipe.c, changed", PIPE, changed, /\d+ failed\n[^]*changed line ran/);
    await save("fs/pipe.c, put back", PIPE, original.pipe, /: \d+ passed\n/);
  }
  const header = original.header.replace(/(#define PIPE_DEF_BUFFERS\s+)16/, "$1(8 + 8)");
  await save("include/linux/pipe_fs_i.h", HEADER, header, /: \d+ passed\n/);
  // Not child.kill(): in Deno the child's end is then lost.
  process.kill(child.pid!, "SIGTERM");
  await said();
  const { make } = await prepareTree({ source: tree });
  writeFileSync(join(make.source, "fs/pipe.c"), original.pipe);
  const started = performance.now();
  const { status } = spawnSync("make", [...makeArguments(make), "vmlinux"], {
    cwd: make.source,
    env: makeEnvironment(),
    stdio: "ignore",
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`       beside it: make alone, after fs/pipe.c: ${seconds} s (status ${status})`);
} finally {
  writeFileSync(PIPE, original.pipe);
  writeFileSync(HEADER, original.header);
  if (!ended) process.kill(child.pid!, "SIGTERM");
  rmSync(folder, { recursive: true, force: true });
}
