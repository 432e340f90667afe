import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** What a command in a virtual machine left. */
export interface Ended {
  /** 124 where its time limit passed. */
  readonly status: number;
  readonly output: string;
  readonly seconds: number;
}

/** Of the machine itself, to end what hangs. */
const GRACE_SECONDS = 300;

/**
 * Runs commands in virtual machines, one after another: in one machine, and from the next command on in another where that
 * ends too early, which is the status 3 of the command that ran.
 *
 * @param machine the command that starts a machine, up to the `--`
 * @param folder for the commands' output; it is emptied
 * @param onEnd is told of each command by its number
 */
export async function runInside(
  machine: readonly string[],
  commands: readonly (readonly string[])[],
  { folder, limitSeconds }: { folder: string; limitSeconds: number },
  onEnd: (index: number, ended: Ended) => void,
): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const outputOf = (index: number) => join(folder, `${index}.log`);
  for (let first = 0; first < commands.length;) {
    const lines = commands.slice(first).map((command, index) => {
      const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
      const path = outputOf(first + index);
      return `timeout -k 30 ${limitSeconds} ${quoted} >'${path}' 2>&1 </dev/null; echo "ended $?"`;
    });
    const [program, ...args] = [...machine, "--write", folder, "--", "sh", "-c", lines.join("\n")];
    const child = spawn(program!, args, { stdio: ["ignore", "pipe", "pipe"] });
    let errors = "";
    child.stderr.on("data", (bytes: Uint8Array) => errors += bytes);
    const end = () => child.kill("SIGTERM");
    const patienceMs = (limitSeconds + GRACE_SECONDS) * 1000;
    let timer = setTimeout(end, patienceMs);
    let started = performance.now();
    const seconds = () => Math.round((performance.now() - started) / 1000);
    const closed = new Promise((resolve) => child.on("close", resolve));
    for await (const line of createInterface(child.stdout)) {
      const status = /^ended (\d+)$/.exec(line)?.[1];
      if (status === undefined) continue;
      const output = readFileSync(outputOf(first), "utf8");
      onEnd(first++, { status: Number(status), output, seconds: seconds() });
      clearTimeout(timer);
      timer = setTimeout(end, patienceMs);
      started = performance.now();
    }
    await closed;
    clearTimeout(timer);
    if (first === commands.length) break;
    onEnd(first++, { status: 3, output: errors, seconds: seconds() });
  }
  rmSync(folder, { recursive: true, force: true });
}
