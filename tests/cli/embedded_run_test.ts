import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { genhtml, LCOV_VARIANTS } from "../_support/lcov_judges.ts";

const root = join(import.meta.dirname!, "../..");
const launcher = join(root, "src/cli/kernelcov");

interface Finished {
  status: number | null;
  stdout: string;
  stderr: string;
}

function run(command: string, args: string[], cwd = root, input = ""): Finished {
  return spawnSync(command, args, {
    cwd,
    input,
    encoding: "utf8",
    maxBuffer: 1 << 30,
    env: { ...process.env, NO_COLOR: "1", LC_ALL: "C.UTF-8" },
  });
}

/** Count of a function in each record set of a tracefile, by test name and then file. */
function functionCounts(tracefile: string, file: string, name: string): Map<string, number> {
  const counts = new Map<string, number>();
  let testName = "", inFile = false;
  for (const line of readFileSync(tracefile, "utf8").split("\n")) {
    if (line.startsWith("TN:")) testName = line.slice(3);
    else if (line.startsWith("SF:")) inFile = line.endsWith(`/${file}`);
    else if (inFile && line.startsWith("FNDA:") && line.endsWith(`,${name}`)) {
      counts.set(testName, parseInt(line.slice(5)));
    }
  }
  return counts;
}

/**
 * Writes the run in `out` in every variant of LCOV and has genhtml make pages of its records of two folders of source
 * files, of which all must say the same of the lines.
 */
function openEveryVariant(out: string): void {
  const rates = new Set<string>();
  for (const { name, options, perTest } of LCOV_VARIANTS) {
    const folder = join(out, "variant");
    // Both files are written at once; the variant of all tests comes first.
    if (!perTest) {
      const { dialect, count, partial } = options;
      const choice = ["--lcov-dialect", `${dialect}`, "--count", count, "--partial", partial];
      const report = run(launcher, ["report", join(out, "run"), "--out", folder, ...choice]);
      assert.equal(report.status, 0, report.stderr);
    }
    const text = readFileSync(join(folder, perTest ? "tests.info" : "lcov.info"), "utf8");
    const records = text.split(/(?<=^end_of_record\n)/m)
      .filter((record) => /^SF:.*\/(?:fs|net\/unix)\/\w+\.c$/m.test(record));
    writeFileSync(join(folder, "some.info"), records.join(""));
    const { status, complaints, rates: { lines } } = genhtml({ path: folder }, [
      ...["some.info", "--branch-coverage"],
      ...perTest ? ["--description-file", "tests.desc"] : [],
    ]);
    assert.equal(complaints, "", name);
    assert.equal(status, 0, name);
    assert.ok(lines !== undefined && lines.hit > 1000, name);
    rates.add(`${lines.hit} of ${lines.found}`);
  }
  assert.equal(rates.size, 1, [...rates].join("; "));
}

for (const scope of ["thread", "tree"]) {
  test(`the examples, run in the embedded kernel in ${scope} scope, give tracefiles that genhtml opens without a message`, () => {
    const out = mkdtempSync(join(tmpdir(), "kernelcov-run-"));
    try {
      const examples = "deno test -A --no-check examples && bun test ./examples";
      const args = [
        "test",
        "--kernel",
        "embedded",
        "--scope",
        scope,
        "--out",
        out,
        "--",
        "sh",
        "-c",
        examples,
      ];
      const { status, stdout, stderr } = run(launcher, args);
      assert.equal(status, 0, stdout + stderr);
      // The table: both runners, every test, nothing truncated.
      for (const runner of ["deno", "bun"]) {
        assert.match(stdout, new RegExp(`^examples/pipes_test\\.ts \\(${runner}\\)$`, "m"));
      }
      assert.match(stdout, /^ {2}a pipe carries bytes +passed +[\d,]+ +[\d,]+ +[\d,]+/m);
      assert.doesNotMatch(stdout, /truncated/);

      // pipe_write is the pipe tests' and not the socket tests'.
      const names = JSON.parse(readFileSync(join(out, "tests.json"), "utf8")) as Record<
        string,
        { name: string }
      >;
      const counts = functionCounts(join(out, "tests.info"), "fs/pipe.c", "pipe_write");
      const [pipes, sockets] = ["a pipe carries bytes", "a TCP connection echoes"].map((wanted) =>
        Object.keys(names).filter((id) => names[id]!.name === wanted)
      );
      assert.equal(pipes!.length, 2);
      assert.equal(sockets!.length, 2);
      for (const id of pipes!) assert.ok((counts.get(id) ?? 0) > 0, `${id} ran pipe_write`);
      for (const id of sockets!) {
        assert.equal(counts.get(id) ?? 0, 0, `${id} did not run pipe_write`);
      }
      const socketCounts = functionCounts(join(out, "tests.info"), "net/ipv4/tcp.c", "tcp_sendmsg");
      for (const id of sockets!) {
        assert.ok((socketCounts.get(id) ?? 0) > 0, `${id} ran tcp_sendmsg`);
      }
      for (const id of pipes!) {
        assert.equal(socketCounts.get(id) ?? 0, 0, `${id} did not run tcp_sendmsg`);
      }
      // The whole: executed, and the rest of the kernel is there as the denominator.
      const whole = readFileSync(join(out, "lcov.info"), "utf8");
      assert.ok(
        (functionCounts(join(out, "lcov.info"), "fs/pipe.c", "pipe_write").get("") ?? 0) > 0,
      );
      assert.ok(whole.match(/^DA:\d+,0$/gm)!.length > 100_000);

      // Anywhere: the paths of the sources are whole. The counts of thread scope are those of the kernel.
      if (scope === "thread") return openEveryVariant(out);
      const { status: opened, complaints } = genhtml({ path: out }, ["lcov.info"]);
      assert.equal(opened, 0, complaints);
      assert.equal(complaints, "");
      assert.ok(existsSync(join(out, "html/index.html")));
    } finally {
      rmSync(out, { recursive: true });
    }
  });
}

test("a failing test command gives its own exit status, and its tests are in the report all the same", () => {
  const out = mkdtempSync(join(tmpdir(), "kernelcov-run-"));
  try {
    const script = "deno test -A --no-check examples/pipes_test.ts; exit 7";
    const { status, stdout } = run(launcher, [
      "test",
      "--kernel",
      "embedded",
      "--out",
      out,
      "--",
      "sh",
      "-c",
      script,
    ]);
    assert.equal(status, 7);
    assert.match(stdout, /a pipe carries bytes +passed/);
    // The report again, from the records.
    const again = run(launcher, ["report", join(out, "run"), "--out", join(out, "again")]);
    assert.equal(again.status, 0, again.stderr);
    assert.equal(
      readFileSync(join(out, "again/lcov.info"), "utf8"),
      readFileSync(join(out, "lcov.info"), "utf8"),
    );
  } finally {
    rmSync(out, { recursive: true });
  }
});

test("a command with no covered test says so, with exit status 3", () => {
  const out = mkdtempSync(join(tmpdir(), "kernelcov-run-"));
  try {
    const { status, stderr } = run(launcher, [
      "test",
      "--kernel",
      "embedded",
      "--scope",
      "thread",
      "--out",
      out,
      "--",
      "true",
    ]);
    assert.equal(status, 3);
    assert.match(stderr, /No test was recorded/);
  } finally {
    rmSync(out, { recursive: true });
  }
});

test("kernelcov kernel path prints the image that symbolize reads, and bad PCs are named by line", () => {
  const path = run(launcher, ["kernel", "path"]).stdout.trim();
  assert.ok(existsSync(path));
  const symbols = run("nm", [path]).stdout;
  const address = /^([0-9a-f]+) [tT] vfs_read$/m.exec(symbols)?.[1];
  assert.ok(address !== undefined);
  const pc = (parseInt(address, 16) + 5 + 4).toString(16);
  const { status, stdout } = run(launcher, ["symbolize", "--json"], root, `0x${pc}\n\n1\n`);
  assert.equal(status, 0);
  const [first, second] = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(first.pc, `0x${pc}`);
  assert.equal(first.frames.at(-1).function, "vfs_read");
  assert.equal(second.pc, "0x1");
  assert.equal(second.frames, undefined);
  assert.ok(second.reason.length > 0);
  const bad = run(launcher, ["symbolize"], root, "600a8eb6\nhello\n");
  assert.equal(bad.status, 1);
  assert.match(bad.stderr, /line 2, "hello", is not a hexadecimal number/);
});
