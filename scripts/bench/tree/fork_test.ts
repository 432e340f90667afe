import { spawnSync } from "node:child_process";
import { test } from "node:test";

test("forks", { timeout: 120_000 }, () => {
  const { status } = spawnSync("sh", ["-c", "for i in $(seq 200); do /bin/true || exit 1; done"]);
  if (status !== 0) throw new RangeError(`the shell ended with ${status}`);
});
