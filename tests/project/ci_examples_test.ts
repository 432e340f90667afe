/** What the examples of CI jobs call, with shards that a small image's runs stand for. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SmallImage } from "../_support/images/small_image.ts";
import { commandOn } from "../_support/images/small_image_command.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/ci/", import.meta.url));
const GITHUB = readFileSync(`${EXAMPLES}github.yml`, "utf8");
const GITLAB = readFileSync(`${EXAMPLES}gitlab.yml`, "utf8");
const IMAGE = new SmallImage();
after(() => IMAGE[Symbol.dispose]());
const { folder } = IMAGE;

/** Runs a job's script where `kernelcov` is this one. */
function runJob(script: string, env: Record<string, string>): ReturnType<typeof spawnSync> {
  const { command, args, options } = commandOn(IMAGE, []);
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const quoted = [command, ...args].map((word) => `'${word}'`).join(" ");
  writeFileSync(join(bin, "kernelcov"), `#!/bin/sh\nexec ${quoted} "$@"\n`);
  chmodSync(join(bin, "kernelcov"), 0o755);
  const path = `${bin}:${options.env["PATH"]}`;
  return spawnSync("bash", ["-e", "-o", "pipefail", "-c", script], {
    cwd: folder,
    encoding: "utf8",
    env: { ...options.env, PATH: path, ...env },
  });
}

/** The `run: |` of a named step. */
function stepOf(yaml: string, name: string): string {
  const match = new RegExp(`- name: ${name}\\n(?:.*\\n)*?( +)run: \\|\\n((?:\\1  .*\\n)+)`).exec(
    yaml,
  );
  assert.ok(match, `no step ${name}`);
  return match[2].replace(/^ +/gm, "");
}

/** The `script:` lines of a GitLab job. */
function scriptOf(yaml: string, job: string): string {
  const match = new RegExp(`\\n${job}:\\n(?: .*\\n|\\n)*?  script:\\n((?: {4}- .*\\n)+)`).exec(
    yaml,
  );
  assert.ok(match, `no job ${job}`);
  return match[1].replace(/^ +- /gm, "");
}

/** A git tree whose branch adds the function that one shard's test runs. */
function makeTree(): string {
  const git = (...args: string[]): string => {
    const who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
    const { status, stdout, stderr } = spawnSync("git", [...who, ...args], {
      cwd: folder,
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };
  const file = join(folder, "fs/pipe.c");
  const text = readFileSync(file, "utf8");
  git("init", "-q", "-b", "trunk");
  writeFileSync(file, text.replace(/int pipe_read\(int[^]*/, ""));
  git("add", "fs");
  git("commit", "-q", "-m", "base");
  git("update-ref", "refs/remotes/origin/trunk", "HEAD");
  const base = git("rev-parse", "HEAD");
  git("checkout", "-q", "-b", "topic");
  writeFileSync(file, text);
  git("commit", "-q", "-a", "-m", "change");
  return base;
}

const BASE = makeTree();

function shards(folders: readonly string[], functions: readonly string[]): void {
  for (const [i, name] of folders.entries()) {
    const run = IMAGE.writeRun(`shard${i}${folders.length}${functions.length}`, [
      IMAGE.record(`test ${i}`, IMAGE.pcsOf(functions[i]!)),
    ]);
    mkdirSync(join(folder, name), { recursive: true });
    renameSync(run, join(folder, name, "run"));
  }
}

test("GitHub's last job merges the shards, judges the change, and writes a summary", () => {
  shards(["artifacts/shard-deno-0", "artifacts/shard-bun-1"], ["pipe_read", "pipe_poll"]);
  mkdirSync(join(folder, "artifacts/kernel"), { recursive: true });
  writeFileSync(join(folder, "artifacts/kernel/vmlinux"), readFileSync(IMAGE.path));
  const summary = join(folder, "summary");
  const env = { GITHUB_BASE_REF: "trunk", GITHUB_STEP_SUMMARY: summary };
  const { status, stderr } = runJob(stepOf(GITHUB, "verdict"), env);
  assert.equal(status, 0, String(stderr));
  assert.match(
    readFileSync(summary, "utf8"),
    /\*\*\d+ of \d+ changed lines? covered \(100 %\)\*\*/,
  );
  assert.match(readFileSync(join(folder, "patch.xml"), "utf8"), / filename="fs\/pipe\.c"/);
});

test("GitLab's last job does too, and fails where the change is not tested", () => {
  shards(["shard-deno-0", "shard-bun-1"], ["pipe_write", "unix_listen"]);
  spawnSync("rm", ["-r", join(folder, "merged")]);
  const env = { CI_MERGE_REQUEST_DIFF_BASE_SHA: BASE };
  const { status, stdout } = runJob(scriptOf(GITLAB, "verdict"), env);
  assert.equal(status, 4, String(stdout));
  assert.match(String(stdout), /below --min-patch-lines 80\n/);
  assert.match(readFileSync(join(folder, "note.md"), "utf8"), /### No test runs these lines\n/);
});

test("each test file is in one shard", () => {
  const names = Array.from({ length: 9 }, (_, i) => `${i}_test.ts`);
  mkdirSync(join(folder, "tests"), { recursive: true });
  for (const name of names) writeFileSync(join(folder, "tests", name), "");
  // The commands of both examples, with one that prints what it was to run in the place of kernelcov.
  const said = (script: string, shard: number, runtime: string): string[] => {
    const env = { SHARDS: "4", SHARD: `${shard}`, RUNTIME: runtime };
    const own = script.replace(/^chmod .*\n/, "").replaceAll("kernelcov test", "echo");
    const { status, stdout, stderr } = runJob(own, env);
    assert.equal(status, 0, String(stderr));
    const [, runner, files] = /-- (deno test -A|bun test) (.*)\n/.exec(String(stdout))!;
    assert.match(runner!, new RegExp(`^${runtime} `));
    return files!.split(" ");
  };
  for (const script of [stepOf(GITHUB, "tests"), scriptOf(GITLAB, "tests")]) {
    for (const runtime of ["deno", "bun"]) {
      const all = [0, 1, 2, 3].flatMap((shard) => said(script, shard, runtime));
      assert.deepEqual(all.sort(), names.map((name) => `./tests/${name}`));
    }
  }
});
