import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const SETUP = fileURLToPath(new URL("../../scripts/setup.sh", import.meta.url));
const DEMO = fileURLToPath(new URL("../../scripts/demo.sh", import.meta.url));

function standIn(name: string): string {
  return `echo "$(basename "$0") $*" >>calls; until [ ! -e ${name}.wait ] || [ -e ${name}.go ]; do /bin/sleep 0.05; done`;
}

/** Stand-ins for the programs that set a checkout up; each waits for the file `NAME.go` where there is a `NAME.wait`. */
const PROGRAMS: Record<string, string> = {
  "apt-get": standIn("apt"),
  npm: standIn("npm"),
  "dpkg-query": "exit 1",
  id: "echo 0",
  // A clock that runs faster: the lines of each 5 seconds come at once.
  sleep: "exec /bin/sleep 0.01",
};

interface Checkout {
  readonly folder: string;
  /** Starts the set-up, with what it prints so far and its end. */
  readonly start: (script?: string) => {
    readonly output: () => string;
    readonly kill: (signal: NodeJS.Signals) => void;
    readonly ended: Promise<number>;
  };
}

async function inCheckout(
  programs: Record<string, string>,
  body: (checkout: Checkout) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-setup-"));
  for (const name of ["bin", "scripts", "src/build/recipe", "node_modules/.bin"]) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, "bin", name), 0o755);
  }
  copyFileSync(SETUP, join(folder, "scripts/setup.sh"));
  copyFileSync(DEMO, join(folder, "scripts/demo.sh"));
  writeFileSync(join(folder, "scripts/demo_packages"), "later\n");
  writeFileSync(join(folder, "scripts/packages"), "# note\nlcov\n");
  writeFileSync(join(folder, "src/build/recipe/packages"), "gcc\n");
  writeFileSync(join(folder, "package-lock.json"), "{}");
  for (const name of ["deno", "bun"]) {
    writeFileSync(join(folder, "node_modules/.bin", name), "\x7fELF");
  }
  function start(script = "setup.sh"): ReturnType<Checkout["start"]> {
    const child = spawn("sh", [join(folder, "scripts", script)], {
      env: { PATH: `${join(folder, "bin")}${delimiter}${process.env["PATH"]}`, TMPDIR: folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (bytes: Uint8Array) => output += new TextDecoder().decode(bytes));
    child.stderr.on("data", (bytes: Uint8Array) => output += new TextDecoder().decode(bytes));
    const { promise, resolve } = Promise.withResolvers<number>();
    // Deno takes an exit status above 128 for a signal.
    child.on(
      "close",
      (code, signal) => resolve(signal === null ? code! : 128 + constants.signals[signal]),
    );
    return { output: () => output, kill: (signal) => void child.kill(signal), ended: promise };
  }
  try {
    await body({ folder, start });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await setTimeout(20);
  assert.ok(condition());
}

test("setting up says every five seconds what is going on, and apt and npm work at once", () =>
  inCheckout(PROGRAMS, async ({ folder, start }) => {
    writeFileSync(join(folder, "apt.wait"), "");
    writeFileSync(join(folder, "npm.wait"), "");
    const setup = start();
    await until(() => setup.output().includes("Debian packages, 15 s"));
    assert.match(
      setup.output(),
      /^Installing Deno, Bun .*\nInstalling Debian packages: gcc lcov\n {2}Installing Debian packages, 5 s\n {2}Installing Debian packages, 10 s\n/,
    );
    assert.deepEqual(readFileSync(join(folder, "calls"), "utf8").split("\n").sort(), [
      "",
      "apt-get update",
      "npm install --no-save --no-audit --no-fund --loglevel=error",
    ]);
    writeFileSync(join(folder, "npm.go"), "");
    writeFileSync(join(folder, "apt.go"), "");
    assert.equal(await setup.ended, 0, setup.output());
    assert.ok(existsSync(join(folder, "node_modules/.package-lock.json")));
  }));

test("npm has its lines too while it takes longer than apt", () =>
  inCheckout(PROGRAMS, async ({ folder, start }) => {
    writeFileSync(join(folder, "npm.wait"), "");
    const setup = start();
    await until(() => setup.output().includes("  Installing from npm, 10 s\n"));
    writeFileSync(join(folder, "npm.go"), "");
    assert.equal(await setup.ended, 0, setup.output());
  }));

test("what failed is shown, and the set-up is not taken for done", () =>
  inCheckout(
    { ...PROGRAMS, npm: "echo no such registry >&2; exit 7" },
    async ({ folder, start }) => {
      const setup = start();
      assert.equal(await setup.ended, 1);
      assert.match(setup.output(), /\nno such registry\nkernelcov: npm failed; its output is in /);
      assert.ok(!existsSync(join(folder, "node_modules/.package-lock.json")));
      writeFileSync(join(folder, "bin/apt-get"), "#!/bin/sh\necho E: no room >&2; exit 100\n");
      const again = start();
      assert.equal(await again.ended, 1);
      assert.match(again.output(), /\nE: no room\nkernelcov: apt-get failed; its output is in /);
    },
  ));

test("an interrupted set-up leaves no npm running", () =>
  inCheckout({
    ...PROGRAMS,
    npm: "echo $$ >npm.pid; exec /bin/sleep 1000",
  }, async ({ folder, start }) => {
    const setup = start();
    await until(() => setup.output().includes("Installing from npm, 5 s"));
    const pid = Number(readFileSync(join(folder, "npm.pid"), "utf8"));
    setup.kill("SIGTERM");
    assert.equal(await setup.ended, 143);
    await until(() => !existsSync(`/proc/${pid}/exe`));
  }));

test("the demo builds its kernel while packages are installed that only its reader needs", () =>
  inCheckout({
    ...PROGRAMS,
    deno: "echo the kernel is built; echo deno >>calls",
  }, async ({ folder, start }) => {
    const demo = start("demo.sh");
    await until(() => demo.output().includes("the kernel is built\n"));
    assert.equal(await demo.ended, 0, demo.output());
    const calls = readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
    const install = "apt-get install -y --no-install-recommends";
    assert.ok(calls.indexOf(`${install} gcc`) < calls.indexOf("deno"));
    assert.ok(calls.includes(`${install} later`));
    // Packages that take their time do not hold the kernel up, and those that fail are told.
    writeFileSync(
      join(folder, "bin/apt-get"),
      `#!/bin/sh\ncase "$*" in *later) until [ -e go ]; do /bin/sleep 0.05; done; echo E: no room >&2; exit 100;; esac\n`,
    );
    const again = start("demo.sh");
    await until(() => again.output().includes("the kernel is built\n"));
    assert.doesNotMatch(again.output(), /no room/);
    writeFileSync(join(folder, "go"), "");
    assert.equal(await again.ended, 1);
    assert.match(again.output(), /\nE: no room\nkernelcov: apt-get failed; its output is in /);
  }));

test("an interrupted demo leaves nothing running", () =>
  inCheckout({
    ...PROGRAMS,
    deno: "echo $$ >deno.pid; exec /bin/sleep 1000",
  }, async ({ folder, start }) => {
    const demo = start("demo.sh");
    await until(() => existsSync(join(folder, "deno.pid")));
    await until(() => readFileSync(join(folder, "deno.pid"), "utf8").endsWith("\n"));
    const pid = Number(readFileSync(join(folder, "deno.pid"), "utf8"));
    demo.kill("SIGTERM");
    assert.equal(await demo.ended, 143);
    await until(() => !existsSync(`/proc/${pid}/exe`));
  }));
