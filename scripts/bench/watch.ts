/**
 * From a saved source of the kernel to the results of the tests that it concerns, by stage: `kernelcov watch` on Debian's
 * 6.12, with a return value of `fs/pipe.c` changed (the test that expects another one fails), put back (it passes), and a
 * header saved: with the body of one function changed, which only its users are compiled for, and with lines that move those
 * behind them, which all that includes it is compiled for. Beside it: `make` after `fs/pipe.c` alone. Exit status 1 where a
 * test does not end as it has to.
 *
 * Goals: 5 s from saving fs/pipe.c, 20 s from saving the header, on two cores. Beside each time stands the processor time
 * that it took, and the machine's load: what else runs makes the first longer, and hardly the second.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { prepareTree } from "../../src/build/tree/build_tree.ts";
import { makeArguments, makeEnvironment } from "../../src/build/kernel_make.ts";
import { debianTree } from "../checks/debian_tree.ts";
import { noteRow } from "./bench_row.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const tree = debianTree("6.12");
const PIPE = join(tree, "fs/pipe.c"), HEADER = join(tree, "include/linux/pipe_fs_i.h");
const original = { pipe: readFileSync(PIPE, "utf8"), header: readFileSync(HEADER, "utf8") };
/** Another text each time, which a cache of the compiler does not know. */
function edited(text: string, from: string, to: (number: number) => string): string {
  if (text.includes(from)) return text.replace(from, to(Date.now() % 1_000_000));
  throw new TypeError(`${tree} is not as Debian has it: remove it, and it is unpacked again`);
}
/** A header with another function body of as many lines, and with lines that move all others. */
const bodyChanged = edited(
  original.header,
  "return head == tail;",
  (number) => `return head == tail || head - tail == 0x40000000 + ${number};`,
);
const linesMoved = edited(
  original.header,
  "return head == tail;",
  (number) => `return head == tail ||\n\t\thead - tail == 0x20000000 + ${number};`,
);
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

/** The assertion fails that expects the value of before, in the test that runs the changed line, and no other. */
const FAILS =
  /failed {2}.*pipes_test\.ts: .*\n\d+ tests?: \d+ passed, 1 failed\n[^]*: 1 changed line ran: \d+\n/;
/** The changed line of the header ran, and changes nothing. */
const COVERED =
  /\n\d+ tests?: \d+ passed\n[^]*pipe_fs_i\.h: \d changed lines? ran: \d+(?:[-–]\d+)?\n/;
const PASSES = /\n\d+ tests?: \d+ passed\n/;

/** Clock ticks per second, on every architecture of Linux. */
const TICKS = 100;

/** Processor time of the session and of all its processes that have ended, in seconds. */
function processorTime(): number {
  const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime, stime, cutime and cstime, in proc(5) fields 14 to 17.
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) / TICKS;
}

async function save(
  what: string,
  path: string,
  text: string,
  expected: RegExp,
  goal: number,
): Promise<number> {
  const before = processorTime(), started = performance.now();
  writeFileSync(path, text);
  const answer = await said();
  const seconds = (performance.now() - started) / 1000;
  const stages = /^(?:compile|build) .*/m.exec(answer)?.[0] ?? "no stages";
  const ok = expected.test(answer);
  if (!ok) process.exitCode = 1;
  console.log(
    `${ok ? "ok    " : "FAILED"} ${what}: ${seconds.toFixed(1)} s (goal ${goal} s), ` +
      `${(processorTime() - before).toFixed(1)} s of processor time, load ${
        loadavg()[0].toFixed(1)
      } (${stages})`,
  );
  noteRow({ what, figure: `${seconds.toFixed(1)} s`, peer: "", ratio: "" });
  if (!ok) console.log(answer);
  return seconds;
}

/** Make of one changed file alone, before headers are newer than what was compiled. */
async function timeMake(): Promise<number> {
  const { make } = await prepareTree({ source: tree });
  writeFileSync(join(make.source, "fs/pipe.c"), original.pipe);
  const started = performance.now();
  const { status } = spawnSync("make", [...makeArguments(make), "vmlinux"], {
    cwd: make.source,
    env: makeEnvironment(),
    stdio: "ignore",
  });
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `       beside it: make alone, after fs/pipe.c: ${seconds.toFixed(1)} s (status ${status})`,
  );
  if (status !== 0) process.exitCode = 1;
  return seconds;
}

try {
  await said();
  const pipes: number[] = [];
  for (let round = 0; round < 3; round++) {
    const changed = edited(
      original.pipe,
      "ret = -EAGAIN;",
      (number) => `ret = -EBUSY - 0 * ${number};`,
    );
    pipes.push(await save("fs/pipe.c, changed", PIPE, changed, FAILS, 5));
    await save("fs/pipe.c, put back", PIPE, original.pipe, PASSES, 5);
  }
  const make = await timeMake();
  const [, median] = pipes.sort((a, b) => a - b);
  noteRow({
    what: "fs/pipe.c, from saving to the results of its tests",
    figure: `${median!.toFixed(1)} s`,
    peer: `make alone ${make.toFixed(1)} s`,
    ratio: (median! / make).toFixed(2),
  });
  await save("pipe_fs_i.h, a function's body", HEADER, bodyChanged, COVERED, 20);
  await save("pipe_fs_i.h, lines moved", HEADER, linesMoved, COVERED, 20);
  // Not child.kill(): in Deno the child's end is then lost.
  process.kill(child.pid!, "SIGTERM");
  await said();
} finally {
  writeFileSync(PIPE, original.pipe);
  writeFileSync(HEADER, original.header);
  if (!ended) process.kill(child.pid!, "SIGTERM");
  rmSync(folder, { recursive: true, force: true });
}
