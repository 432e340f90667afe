import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { kernelFunctions } from "../_support/kernel_symbols.ts";
import { spawnSync } from "../_support/spawn_sync.ts";
import { plainEnvironment, RECORDERS, superviseHere } from "../_support/supervised.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

const folder = mkdtempSync(join(tmpdir(), "kernelcov-hidden-"));
after(() => rmSync(folder, { recursive: true }));
const program = join(folder, "own_tracers");
const source = fileURLToPath(new URL("./fixtures/own_tracers.c", import.meta.url));
execFileSync("gcc", ["-O2", "-Wno-unused-result", "-o", program, source]);

const FOLLOWED = "followed by own_tracers";

interface Case {
  readonly name: string;
  readonly title: string;
  /** Reasons of unrecorded tasks, with their number. */
  readonly refused?: Readonly<Record<string, number>>;
  /** A function that is in the record although a kernel might hide it. */
  readonly reached?: string;
  /** A function that only a task that was let go runs. */
  readonly unreached?: string;
}

const CASES: readonly Case[] = [
  {
    name: "traceme",
    title: "a child asks its parent to trace it",
    refused: { [FOLLOWED]: 1, [`own_tracers, below one ${FOLLOWED}`]: 1 },
    unreached: "uptime_proc_show",
  },
  { name: "attach", title: "a program attaches to its child", refused: { [FOLLOWED]: 1 } },
  { name: "seize", title: "a program seizes its child", refused: { [FOLLOWED]: 1 } },
  {
    name: "kcov",
    title: "a program records itself",
    refused: { "records itself with KCOV": 1 },
    unreached: "uptime_proc_show",
  },
  { name: "killable", title: "a signal ends a program that waits in the kernel" },
  { name: "ignored", title: "an ignored signal interrupts nothing" },
  {
    name: "untraced",
    title: "a child asks not to be traced",
    reached: "loadavg_proc_show",
  },
  { name: "tracer", title: "a program looks for its tracer" },
];

for (const { name, title, refused = {}, reached, unreached } of CASES) {
  test(`recorded as without it: ${title}`, { timeout: timeLimit(120_000) }, () => {
    const plain = spawnSync(program, [name], { env: plainEnvironment(), encoding: "utf8" });
    assert.equal(plain.status, 0, plain.stderr);
    for (const recorder of RECORDERS) {
      const collect = recorder === "collectors";
      const recorded = superviseHere([program, name], { record: true, collect });
      assert.deepEqual(
        { status: recorded.status, stdout: recorded.stdout, stderr: recorded.stderr },
        { status: 0, stdout: plain.stdout, stderr: "" },
        recorder,
      );
      const [record] = recorded.records;
      const found = record.tree?.refused.map(({ reason, tasks }) => [reason, tasks]) ?? [];
      assert.deepEqual(Object.fromEntries(found), collect ? {} : refused);
      const functions = kernelFunctions(record.pcs);
      if (reached !== undefined) assert.ok(functions.has(reached));
      // Only a tracer lets a task go.
      if (unreached !== undefined) assert.equal(functions.has(unreached), collect);
    }
  });
}

test("a child that asks not to be traced is counted where the kernel grants that", {
  timeout: timeLimit(120_000),
}, () => {
  const { records, status } = superviseHere([program, "untraced"], {
    record: true,
    mainline: true,
  });
  assert.equal(status, 0);
  const [{ reason, tasks }] = records[0].tree?.refused ?? [];
  assert.match(reason, /^(child of )?own_tracers, not announced$/);
  assert.equal(tasks, 1);
});

test("a program that is to be left alone finds KCOV free and records itself, and is counted", {
  timeout: timeLimit(120_000),
}, () => {
  const script = `read -r line </proc/version; ${program} kcov; ${program} tracer; true`;
  const command = ["sh", "-c", script];
  const plain = spawnSync(command[0], command.slice(1), { encoding: "utf8" });
  for (const mainline of [false, true]) {
    const options = { record: true, mainline, noFollow: ["own_tracers"] };
    const { records: [record], stdout } = superviseHere(command, options);
    assert.equal(stdout, plain.stdout);
    assert.deepEqual(record.tree?.refused, [{ reason: "not followed (own_tracers)", tasks: 2 }]);
    const functions = kernelFunctions(record.pcs);
    assert.deepEqual(
      [functions.has("version_proc_show"), functions.has("uptime_proc_show")],
      [true, false],
    );
  }
});
