import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { spawnSync } from "../../_support/spawn_sync.ts";

const KERNELCOV = fileURLToPath(new URL("../../../src/cli/kernelcov", import.meta.url));
const RUNNERS: Readonly<Record<string, readonly string[]>> = {
  deno: ["deno", "test", "-A", "--no-check"],
  bun: ["bun", "test", "--timeout", "120000"],
};
const SLOW = { timeout: 480_000 };
const folder = mkdtempSync(join(tmpdir(), "kernelcov-comparisons-"));
after(() => rmSync(folder, { recursive: true }));

/** A parameter of the kernel that one byte sets: `kstrtobool` compares it with those that it knows. */
const PARAMETER = "/sys/module/printk/parameters/time";

/** Writes each of the bytes, and says which the kernel takes. */
function testOf(bytes: readonly number[], taken: string): string {
  return `
import { test } from "node:test";
import { appendFileSync, writeFileSync } from "node:fs";
test("a byte is written", () => {
  for (const byte of ${JSON.stringify(bytes)}) {
    try {
      writeFileSync(${JSON.stringify(PARAMETER)}, Uint8Array.of(byte));
      appendFileSync(${JSON.stringify(taken)}, byte + "\\n");
    } catch {}
  }
});
`;
}

interface Compared {
  readonly frames: readonly { readonly function: string; readonly line: number }[];
  readonly size: number;
  readonly constant?: string;
  readonly equal: number;
  readonly pairs: readonly {
    readonly second: string;
    readonly times: number;
    readonly call: string | null;
    readonly how: string;
  }[];
}

interface Answer {
  readonly lost: number;
  readonly comparisons: readonly Compared[];
  readonly calls: readonly {
    readonly call: string | null;
    readonly hints: Readonly<Record<string, readonly string[]>>;
  }[];
}

function kernelcov(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(KERNELCOV, args, {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  assert.equal(status, 0, `${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

for (const [runner, command] of Object.entries(RUNNERS)) {
  for (const scope of ["thread", "tree"]) {
    test(
      `${runner}, ${scope} scope: the bytes that the kernel takes are found in the report alone`,
      SLOW,
      () => {
        const name = `${runner}-${scope}`;
        const file = join(folder, `${name}_test.ts`), out = join(folder, name);
        const taken = join(out, "taken");
        function record(bytes: readonly number[]): string {
          writeFileSync(file, testOf(bytes, taken));
          return kernelcov([
            ...["test", "--kernel", "embedded", "--mode", "cmp", "--scope", scope, "--out", out],
            ...["--", ...command, file],
          ]);
        }
        const WRONG = 0x53;
        assert.match(record([WRONG]), /Compared .*\n.*a byte is written: [\d,]+ comparisons/);
        const text = kernelcov(["comparisons", "--run", out, "--at", "kstrtobool"]);
        assert.match(text, /lib\/kstrtox\.c:\d+ kstrtobool\n {2}switch, 1 byte/);
        assert.match(text, /none of them ×1: 0x53 "S"/);
        const json = kernelcov(["comparisons", "--run", out, "--at", "kstrtobool", "--json"]);
        const answer: Answer = JSON.parse(json);
        const cases = answer.comparisons.filter(({ pairs }) =>
          pairs.some(({ second }) => Number(second) === WRONG)
        );
        for (const { size, equal, pairs } of cases) {
          assert.deepEqual([size, equal, pairs.length, pairs[0].times], [1, 0, 1, 1]);
          assert.deepEqual([pairs[0].call, pairs[0].how], ["write", "own"]);
        }
        assert.deepEqual(answer.calls.map(({ call }) => call), ["write"]);
        const found = answer.calls[0].hints["0x53"].map(Number);
        assert.deepEqual(cases.map(({ constant }) => Number(constant)), found);

        // What the kernel takes of all bytes is among what it compares with, and nothing else is.
        record(Array.from({ length: 256 }, (_, byte) => byte));
        const all = readFileSync(taken, "utf8").trim().split("\n").map(Number);
        assert.ok(all.length >= 6, all.join());
        assert.deepEqual(all.filter((byte) => !found.includes(byte)), []);
        const known: Answer = JSON.parse(
          kernelcov(["comparisons", "--run", out, "--at", "kstrtobool", "--json"]),
        );
        for (const byte of all) {
          const met = known.comparisons.filter(({ constant, equal }) =>
            constant !== undefined && Number(constant) === byte && equal > 0
          );
          assert.ok(met.length > 0, `${byte} was equal`);
        }
      },
    );
  }

  test(`${runner}: comparisons do not take the place of what a test ran`, SLOW, () => {
    const out = join(folder, `${runner}-both`), file = join(folder, `${runner}-both_test.ts`);
    writeFileSync(file, testOf([0x79], join(out, "taken")));
    const test = ["test", "--kernel", "embedded", "--scope", "thread", "--out", out];
    kernelcov([...test, "--", ...command, file]);
    const before = readFileSync(join(out, "lcov.info"), "utf8");
    kernelcov([...test, "--mode", "cmp", "--", ...command, file]);
    assert.equal(readFileSync(join(out, "lcov.info"), "utf8"), before);
    assert.match(kernelcov(["comparisons", "--run", out]), /a byte is written/);
  });
}

test("a command is recorded with what it compares, its processes included", SLOW, () => {
  const out = join(folder, "command");
  const script = `printf S > ${PARAMETER}; true`;
  const text = kernelcov([
    ...["record", "--kernel", "embedded", "--mode", "cmp", "--out", out],
    ...["--", "sh", "-c", script],
  ]);
  assert.match(text, /comparisons/);
  assert.match(kernelcov(["comparisons", "--run", out, "--at", "kstrtobool"]), /0x53 "S"/);
});

test("a tracer does not compare, and the command says what to do", () => {
  for (const args of [["--recorder", "ptrace"], ["--no-follow", "sh"]]) {
    const { status, stderr } = spawnSync(KERNELCOV, [
      ...["test", "--kernel", "embedded", "--mode", "cmp", ...args, "--out", join(folder, "no")],
      ...["--", "deno", "test", "nothing_test.ts"],
    ], { encoding: "utf8" });
    assert.equal(status, 2, stderr);
    assert.match(stderr, new RegExp(`A tracer does not record comparisons: leave out ${args[0]}`));
  }
});
