import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { quietCpu } from "../../../src/machines/uml/quiet_cpu.ts";

const folder = mkdtempSync(join(tmpdir(), "kernelcov-cpu-"));
after(() => rmSync(folder, { recursive: true }));

/** A made-up folder of proc(5): processors that may be used, and a state and processor for each process. */
function proc(name: string, allowed: string, processes: readonly [string, number][]): string {
  const path = join(folder, name);
  mkdirSync(join(path, "self"), { recursive: true });
  writeFileSync(
    join(path, "self/status"),
    `Name:\tx\nCpus_allowed_list:\t${allowed}\nSeccomp:\t0\n`,
  );
  for (const [index, [state, cpu]] of processes.entries()) {
    mkdirSync(join(path, `${index + 10}`));
    const between = Array.from({ length: 35 }, () => "7").join(" ");
    writeFileSync(
      join(path, `${index + 10}/stat`),
      `${index} (a) R (b) ${state} ${between} ${cpu} 0\n`,
    );
  }
  return path;
}

test("a guest goes where the fewest programs run", () => {
  assert.equal(quietCpu(proc("one", "0-1", [["R", 0], ["S", 1], ["S", 1]])), 1);
  assert.equal(quietCpu(proc("two", "0-2,5", [["R", 0], ["R", 5], ["R", 1], ["S", 2]])), 2);
  assert.equal(quietCpu(proc("most", "0,1", [["R", 0], ["R", 1], ["R", 1]])), 0);
});

test("a processor that may not be used is never chosen", () => {
  assert.equal(quietCpu(proc("other", "1,3", [["R", 1], ["S", 0]])), 3);
});

test("there is no choice of one processor, or where nothing is known", () => {
  assert.equal(quietCpu(proc("single", "3", [["R", 0]])), undefined);
  assert.equal(quietCpu(join(folder, "nowhere")), undefined);
});
