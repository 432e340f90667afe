import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { encodeRequest } from "../../../src/kcov/broker/broker_message.ts";
import { readRun } from "../../../src/record/read_run.ts";
import { loadLibc } from "../../../src/sys/load.ts";
import { runtimeName } from "../../../src/sys/runtime.ts";
import {
  connectSocket,
  receiveMessage,
  sendMessage,
} from "../../../src/sys/sockets/unix_socket.ts";
import { withPreload } from "../../../src/runners/runner_command.ts";
import { supervisedCommand } from "../../../src/tracer/supervised_command.ts";
import { fixtureCommand } from "../../_support/run_supervised_fixture.ts";
import { spawnSync } from "../../_support/spawn_sync.ts";
import { plainEnvironment } from "../../_support/supervised.ts";
import { timeLimit } from "../../_support/limits/time_limit.ts";

// Starting a test runner takes its time in a user-mode kernel.
const SLOW = { timeout: timeLimit(120_000) };
const NOBODY = 65_534;
const STRANGER = 65_533;
const CLIENT = fileURLToPath(new URL("broker_client.ts", import.meta.url));
const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const RUN = runtimeName() === "deno" ? ["run", "-A", "--no-lock", "--no-check"] : ["run"];

let folder = "";
let socket = "";
let broker: ChildProcess;
let told = "";

/** A broker for `nobody` and root that lets each have 64 MiB. */
async function startBroker(): Promise<void> {
  const users = ["--user", "nobody", "--user", "0"];
  broker = spawn(process.execPath, [
    ...RUN,
    MAIN,
    "broker",
    ...users,
    "--limit",
    "64",
    "--socket",
    socket,
  ], { stdio: ["ignore", "ignore", "pipe"] });
  told = "";
  broker.stderr!.on("data", (bytes: Uint8Array) => told += new TextDecoder().decode(bytes));
  for (let round = 0; !told.includes("Opens coverage devices") && round < 600; round++) {
    await pause();
  }
  assert.match(told, /Opens coverage devices for user 65534, user 0 at /);
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 100));
}

async function stopBroker(signal: NodeJS.Signals): Promise<number | string | null> {
  const { promise, resolve } = Promise.withResolvers<number | string | null>();
  broker.on("exit", (code, by) => resolve(code ?? by));
  // Deno takes a child that was sent a signal for one that it ended.
  process.kill(broker.pid!, signal);
  return await promise;
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "kernelcov-broker-"));
  chownSync(folder, NOBODY, NOBODY);
  chmodSync(folder, 0o755);
  socket = join(folder, "own", "broker.sock");
  await startBroker();
});

after(async () => {
  await stopBroker("SIGTERM");
  rmSync(folder, { recursive: true });
});

/** Runs a command as a user without rights. */
function runAs(user: number, command: readonly string[], env: Record<string, string> = {}) {
  const ids = [`--reuid=${user}`, `--regid=${user}`, "--clear-groups"];
  const { status, stdout, stderr } = spawnSync("setpriv", [...ids, "--", ...command], {
    cwd: folder,
    env: {
      ...plainEnvironment(),
      HOME: folder,
      DENO_DIR: join(folder, "deno"),
      XDG_CACHE_HOME: folder,
      KERNELCOV_BROKER: socket,
      ...env,
    },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

/** What the client tells. */
// deno-lint-ignore no-explicit-any
function client(user: number, args: string[], env: Record<string, string> = {}): any {
  const { status, stdout, stderr } = runAs(user, [process.execPath, ...RUN, CLIENT, ...args], env);
  assert.equal(status, 0, stdout + stderr);
  return JSON.parse(stdout);
}

test("a user of the broker's records, and finds that in what is available", SLOW, () => {
  const points = client(NOBODY, ["points", "8192"]);
  assert.ok(points > 10, `${points}`);
  const { available, message, findings } = client(NOBODY, ["available"]);
  assert.equal(available, true, message);
  const { ok, found } = findings.find(({ subject }: { subject: string }) => subject === "broker");
  assert.deepEqual([ok, found], [true, `opens /sys/kernel/debug/kcov for this user, at ${socket}`]);
});

test("others are refused, and told why", SLOW, async () => {
  const line =
    `The broker at ${socket} does not serve user ${STRANGER}: start it with --user for that user`;
  assert.equal(client(STRANGER, ["points"]), `SyscallError: ${line}`);
  const { available, message } = client(STRANGER, ["available"]);
  assert.deepEqual([available, message], [false, line]);
  const none = client(NOBODY, ["available"], { KERNELCOV_BROKER: join(folder, "none") });
  assert.match(
    none.message,
    /may not be opened by user 65534: run as root, or have root start kernelcov broker/,
  );
  for (let round = 0; !told.includes("asked") && round < 50; round++) await pause();
  assert.equal(told.match(/User 65533 asked/g)?.length, 1, told);
});

test("a user gets no more memory than the limit", SLOW, () => {
  // 16 Mi words are 128 MiB.
  assert.match(
    client(NOBODY, ["points", "16777216"]),
    /lets a user have 64 MiB of coverage buffers/,
  );
});

test("tests of an ordinary user are recorded in thread scope", SLOW, () => {
  const run = join(folder, "thread");
  const [program, ...args] = fixtureCommand(["../../hook/fixtures/three_outcomes.ts"]);
  const { stdout, stderr } = runAs(NOBODY, [program, ...args], {
    KERNELCOV: "require",
    KERNELCOV_RUN: run,
    KERNELCOV_RUN_ID: "one run",
  });
  assert.doesNotMatch(stdout + stderr, /kernelcov: /);
  const { records } = readRun(run);
  assert.deepEqual(records.map(({ name }) => name).sort(), ["fails", "passes", "waits"]);
  for (const { name, pcs } of records) {
    if (name !== "waits") assert.ok(pcs.length > 100, `${name}: ${pcs.length} points`);
  }
});

test("tests of an ordinary user are recorded in tree scope", SLOW, () => {
  const run = join(folder, "tree");
  const command = withPreload(fixtureCommand(["tree_tests.ts"])).command;
  const supervised = supervisedCommand({ mode: "auto", record: false, command, runDirectory: run });
  const { status, stdout, stderr } = runAs(NOBODY, supervised);
  assert.equal(status, 0, stdout + stderr);
  assert.equal(statSync(run).uid, NOBODY);
  const { records } = readRun(run);
  const tests = records.filter(({ kind }) => kind === "test" || kind === undefined);
  assert.equal(tests.length, 6, stdout + stderr);
  for (const { name, pcs, tree } of tests) {
    assert.ok(pcs.length > 10, `${name}: ${pcs.length} points`);
    assert.equal(tree?.refused.length, 0, name);
  }
});

test("10,000 malformed messages do not harm it", SLOW, () => {
  const libc = loadLibc();
  const open = () => readdirSync(`/proc/${broker.pid}/fd`).length;
  const before = open();
  const valid = encodeRequest({ use: "thread", words: 512 });
  for (let index = 0; index < 10_000; index++) {
    const fd = connectSocket(libc, socket, 10);
    assert.ok(fd !== undefined, `message ${index}: nobody listens`);
    const bytes = valid.slice(0, index % 9);
    if (bytes.length === 8) bytes[index % 4] ^= 0x80 | index % 127;
    // Every third carries a descriptor, every seventh goes without a look at the answer.
    sendMessage(libc, fd, bytes, index % 3 === 0 ? 0 : undefined);
    if (index % 7 !== 0) assert.equal(receiveMessage(libc, fd, 8)?.data.length ?? 0, 0);
    libc.close(fd);
  }
  assert.ok(client(NOBODY, ["points", "8192"]) > 10);
  assert.equal(broker.exitCode, null);
  assert.ok(open() <= before + 2, `${open()} descriptors, ${before} before`);
});

test(
  "one broker has a place; a killed one's is taken over; an ended one leaves nothing",
  SLOW,
  async () => {
    const second = spawnSync(process.execPath, [
      ...RUN,
      MAIN,
      "broker",
      "--user",
      "0",
      "--socket",
      socket,
    ], {
      encoding: "utf8",
      env: plainEnvironment(),
    });
    assert.equal(second.status, 1, second.stderr);
    assert.match(second.stderr, /A broker listens at .* already: end it, or name another place/);
    await stopBroker("SIGKILL");
    assert.ok(existsSync(socket));
    await startBroker();
    assert.ok(client(NOBODY, ["points", "8192"]) > 10);
    assert.equal(await stopBroker("SIGTERM"), 0);
    assert.equal(existsSync(socket), false);
    await startBroker();
  },
);

test("who is not root cannot start one, and it names users", SLOW, () => {
  const own = [process.execPath, ...RUN, MAIN, "broker", "--socket", join(folder, "mine")];
  const refused = runAs(NOBODY, [...own, "--user", "nobody"], {
    KERNELCOV_BROKER: join(folder, "none"),
  });
  assert.match(
    refused.stderr,
    /Cannot open \/sys\/kernel\/debug\/kcov: open: EACCES: start the broker as root/,
  );
  const nameless = runAs(NOBODY, own);
  assert.equal(nameless.status, 2);
  assert.match(nameless.stderr, /Name the users who may record: --user NAME/);
  const unknown = runAs(NOBODY, [...own, "--user", "no-such-user"]);
  assert.match(
    unknown.stderr,
    /There is no user no-such-user: name one of this machine's, or its number/,
  );
});
