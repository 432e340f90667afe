import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readRun } from "../../../src/record/read_run.ts";
import { runtimeName } from "../../../src/sys/runtime.ts";
import { spawnSync } from "../../_support/spawn_sync.ts";
import { plainEnvironment } from "../../_support/supervised.ts";
import { timeLimit } from "../../_support/limits/time_limit.ts";

// The other machine is this one: its own sshd on the loopback device.
const SSHD = "/usr/sbin/sshd";
const PORT = 2222;
const SLOW = {
  timeout: timeLimit(900_000),
  skip: !existsSync(SSHD) && "needs sshd: apt-get install openssh-server",
};
const KERNELCOV = fileURLToPath(new URL("../../../src/cli/kernelcov", import.meta.url));
const RUNNER = runtimeName() === "bun" ? ["bun", "test"] : ["deno", "test", "-A", "--no-check"];

let folder = "";
let server: ChildProcess | undefined;

/** Whether the server takes connections. */
function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(PORT, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

before(async () => {
  if (SLOW.skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), "kernelcov-ssh-"));
  for (const name of ["host", "user"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
  }
  mkdirSync("/run/sshd", { recursive: true });
  const home = join(folder, "home");
  mkdirSync(home);
  writeFileSync(
    join(folder, "sshd_config"),
    `Port ${PORT}
ListenAddress 127.0.0.1
HostKey ${folder}/host
AuthorizedKeysFile ${folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
SetEnv "PATH=${process.env["PATH"]}" "KERNELCOV_VMLINUX=${
      process.env["KERNELCOV_VMLINUX"]
    }" HOME=${home}
`,
  );
  writeFileSync(
    join(folder, "ssh_config"),
    `Host *
  IdentityFile ${folder}/user
  IdentitiesOnly yes
  BatchMode yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
`,
  );
  mkdirSync(join(folder, "bin"));
  const ssh = join(folder, "bin/ssh");
  writeFileSync(ssh, `#!/bin/sh\nexec /usr/bin/ssh -F ${folder}/ssh_config "$@"\n`);
  chmodSync(ssh, 0o755);
  server = spawn(SSHD, ["-D", "-e", "-f", join(folder, "sshd_config")], { stdio: "ignore" });
  for (let round = 0; round < 300 && !await answers(); round++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

after(() => {
  server?.kill();
  if (folder !== "") rmSync(folder, { recursive: true });
});

/** Runs `kernelcov test` in a folder on the other machine. */
function testThere(cwd: string, url: string, file: string, ...options: string[]) {
  const env = {
    ...plainEnvironment(),
    PATH: `${folder}/bin:${process.env["PATH"]}`,
    KERNELCOV_RUNTIME: runtimeName(),
  };
  const args = ["test", "--kernel", url, ...options, "--", ...RUNNER, file];
  return spawnSync(KERNELCOV, args, { cwd, env, encoding: "utf8" });
}

/** A folder with a test that passes, and one that fails. */
function project(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  const imports = `import { test } from "node:test";\nimport { readFileSync } from "node:fs";\n`;
  writeFileSync(
    join(path, "a.test.ts"),
    `${imports}test("reads", () => { readFileSync(new URL("data", import.meta.url)); });`,
  );
  writeFileSync(
    join(path, "b.test.ts"),
    `${imports}test("fails", () => { readFileSync("/proc/version"); throw new TypeError("told"); });`,
  );
  writeFileSync(join(path, "data"), "text");
  return path;
}

/** The recorded tests, without those that a run makes of its own. */
function namesIn(runFolder: string): string[] {
  const names = readRun(runFolder).records.map(({ name }) => name);
  return names.filter((name) => !name.startsWith("(")).sort();
}

test(
  "tests run on the other machine in a copy of the folder, and their records come back",
  SLOW,
  () => {
    const cwd = project("copied");
    const passed = testThere(cwd, `ssh://127.0.0.1:${PORT}`, "./a.test.ts");
    assert.equal(passed.status, 0, passed.stdout + passed.stderr);
    assert.match(passed.stdout, /^ {2}reads +passed +[1-9]/m);
    assert.match(readFileSync(join(cwd, "coverage/kernel/lcov.info"), "utf8"), /^DA:\d+,[1-9]/m);
    assert.deepEqual(namesIn(join(cwd, "coverage/kernel/run")), ["reads"]);
    // What the library imports is there too.
    const libraries = join(folder, "home/.cache/kernelcov/library");
    const [library] = readdirSync(libraries);
    const { dependencies } = JSON.parse(
      readFileSync(join(libraries, library!, "package.json"), "utf8"),
    );
    for (const name of Object.keys(dependencies)) {
      const path = join(libraries, library!, "node_modules", name, "package.json");
      assert.ok(existsSync(path), name);
    }
    const left = readdirSync(tmpdir()).filter((name) =>
      existsSync(join(tmpdir(), name, "project/a.test.ts"))
    );
    assert.deepEqual(left, []);
  },
);

test(
  "a folder there is run in as it is; the status is the command's, and earlier records stay",
  SLOW,
  () => {
    const there = project("it's there"), out = join(folder, "copied/coverage/kernel");
    const cwd = join(folder, "here");
    mkdirSync(cwd);
    const url = `ssh://root@127.0.0.1:${PORT}${encodeURI(there)}`;
    const { status, stdout, stderr } = testThere(cwd, url, "./b.test.ts", "--out", out);
    assert.equal(status, 1, stdout + stderr);
    assert.match(stdout + stderr, /told/);
    assert.deepEqual(namesIn(join(out, "run")), ["fails", "reads"]);
    assert.deepEqual(readdirSync(cwd), []);
    assert.equal(existsSync(join(there, "coverage")), false);
  },
);

test("a machine that cannot be reached is one line", SLOW, () => {
  const { status, stderr } = testThere(project("lost"), "ssh://127.0.0.1:1", "./a.test.ts");
  assert.equal(status, 3, stderr);
  assert.match(
    stderr,
    /kernelcov: Cannot make a folder on 127\.0\.0\.1: check that "ssh -p 1 127\.0\.0\.1 tar --version" works/,
  );
});
