/** Workflows are what their services take: GitHub's own parser, and one of GitLab's syntax with its JSON schema. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const root = join(import.meta.dirname!, "../..");
const folder = mkdtempSync(join(tmpdir(), "kernelcov-workflows-"));
after(() => rmSync(folder, { recursive: true }));

interface Parsed {
  readonly errors: readonly string[];
  /** Number of steps. */
  readonly jobs: Readonly<Record<string, number>>;
}

function parseGithub(...files: readonly string[]): Parsed[] {
  const parser = join(root, "tests/project/workflow_parser.ts");
  const { stdout, stderr } = spawnSync("bun", [parser, ...files], { encoding: "utf8" });
  assert.equal(stderr, "");
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

test("GitHub's parser takes the workflows", () => {
  const [own, example] = parseGithub(
    join(root, ".github/workflows/test.yml"),
    join(root, "examples/ci/github.yml"),
  );
  assert.deepEqual(own, { errors: [], jobs: { test: 4 } });
  assert.deepEqual(example, { errors: [], jobs: { kernel: 8, tests: 7, verdict: 8 } });
});

test("GitHub's parser takes the workflow of the set-up page, with what triggers it", () => {
  const page = readFileSync(join(root, "docs/set-up.md"), "utf8");
  const [, workflow] = /```yaml\n(# \.github\/workflows\/[^]*?)```/.exec(page)!;
  const file = join(folder, "page.yml");
  writeFileSync(file, workflow!);
  assert.deepEqual(parseGithub(file), [{ errors: [], jobs: { "kernel-coverage": 5 } }]);
});

test("GitHub's parser refuses a workflow with an unknown key, and one without a trigger", () => {
  const text = readFileSync(join(root, ".github/workflows/test.yml"), "utf8");
  for (
    const wrong of [text.replace("timeout-minutes", "timeout"), text.replace("\non:", "\nno:")]
  ) {
    assert.notEqual(wrong, text);
    const file = join(folder, "wrong.yml");
    writeFileSync(file, wrong);
    assert.notEqual(parseGithub(file)[0]!.errors.length, 0);
  }
});

/** The jobs that a GitLab pipeline of the file would have, or what is wrong with it. */
function parseGitlab(file: string): { readonly status: number | null; readonly output: string } {
  const project = mkdtempSync(join(folder, "gitlab-"));
  copyFileSync(file, join(project, ".gitlab-ci.yml"));
  const git = (...args: string[]): void => {
    const who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
    assert.equal(spawnSync("git", [...who, ...args], { cwd: project }).status, 0);
  };
  git("init", "-q");
  git("remote", "add", "origin", "git@gitlab.com:a/b.git");
  git("add", ".");
  git("commit", "-q", "-m", "a");
  const parser = join(root, "node_modules/gitlab-ci-local/dist/index.js");
  const args = [parser, "--list", "--variable", "CI_PIPELINE_SOURCE=merge_request_event"];
  const { status, stdout, stderr } = spawnSync("bun", args, { cwd: project, encoding: "utf8" });
  return { status, output: `${stdout}${stderr}` };
}

test("the example for GitLab follows its schema and gives a pipeline of all jobs", () => {
  const { status, output } = parseGitlab(join(root, "examples/ci/gitlab.yml"));
  assert.equal(status, 0, output);
  const jobs = [...output.matchAll(/^(kernel|tests: \[\w+,\d\]|verdict)\s+(\w+)/gm)];
  assert.deepEqual(jobs.map(([, name, stage]) => `${name} ${stage}`), [
    "kernel kernel",
    ...["deno", "bun"].flatMap((runtime) =>
      [0, 1, 2, 3].map((i) => `tests: [${runtime},${i}] test`)
    ),
    "verdict verdict",
  ]);
});

test("a GitLab file with an unknown keyword is refused", () => {
  const text = readFileSync(join(root, "examples/ci/gitlab.yml"), "utf8");
  const wrong = join(folder, "wrong-gitlab.yml");
  writeFileSync(wrong, text.replace("  parallel:\n", "  paralel:\n"));
  assert.notEqual(parseGitlab(wrong).status, 0);
});
