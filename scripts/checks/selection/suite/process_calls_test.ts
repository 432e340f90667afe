/** Small tests of processes. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

test("a process's exit status is told", () => {
  assert.equal(spawnSync("sh", ["-c", "exit 7"]).status, 7);
});

test("a signal ends a process", () => {
  assert.equal(spawnSync("sh", ["-c", "kill -TERM $$; sleep 5"]).signal, "SIGTERM");
});

test("a program that is not there is an error", () => {
  const { error } = spawnSync("/nonexistent/program");
  assert.equal((error as NodeJS.ErrnoException).code, "ENOENT");
});

test("processes pass bytes through a pipe, and see its end", () => {
  const { stdout } = spawnSync("sh", ["-c", "printf abc | cat | wc -c"], { encoding: "utf8" });
  assert.equal(stdout.trim(), "3");
});

test("a limit of file sizes ends a write", () => {
  const script =
    "ulimit -f 1; trap '' XFSZ; head -c 5000 /dev/zero > /tmp/suite-limit; wc -c < /tmp/suite-limit; rm /tmp/suite-limit";
  const { stdout } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
  assert.ok(Number(stdout.trim()) <= 1024, stdout);
});

test("a process has its own working folder and umask", () => {
  const { stdout } = spawnSync("sh", ["-c", "umask 027; cd /usr; umask; pwd"], {
    encoding: "utf8",
  });
  assert.equal(stdout, "0027\n/usr\n");
});
