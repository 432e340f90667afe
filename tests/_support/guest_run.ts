import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../src/sys/runtime.ts";
import { memoryFolders } from "../../src/machines/guest/memory_folder.ts";
import { buildEmbeddedKernel } from "../../src/build/build_kernel.ts";
import type { CommandEnd, GuestOptions, MachineCommand } from "../../src/machines/machine.ts";
import { builtKernel, type UmlKernel } from "../../src/machines/uml/uml_kernel.ts";
import { UmlMachine } from "../../src/machines/uml/uml_machine.ts";

/** The checkout's command. */
export const KERNELCOV: string = fileURLToPath(
  new URL("../../src/cli/kernelcov", import.meta.url),
);

/** Collects what is written to it. */
export class Collector extends Writable {
  readonly #chunks: Uint8Array[] = [];

  get bytes(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.#chunks));
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#chunks.push(Uint8Array.from(chunk));
    done();
  }
}

/** What a command in the guest left. */
export interface GuestRun extends CommandEnd {
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Uint8Array;
}

/** Runs a shell script, or a command, in the guest and collects its output. */
export async function inGuest(
  command: string | readonly string[],
  options: GuestOptions & Pick<MachineCommand, "cwd" | "env"> & {
    kernel?: UmlKernel;
    stdin?: Uint8Array | Readable;
  } = {},
): Promise<GuestRun> {
  const stdout = new Collector();
  const stderr = new Collector();
  const { stdin, cwd, env, kernel, ...guest } = options;
  const machine = new UmlMachine(kernel ?? builtKernel(await buildEmbeddedKernel()), guest);
  const result = await machine.run({
    cwd,
    env,
    command: typeof command === "string" ? ["sh", "-c", command] : command,
    stdin: stdin instanceof Uint8Array ? Readable.from([stdin]) : stdin ?? null,
    stdout,
    stderr,
  });
  return { ...result, stdout: stdout.text, stderr: stderr.text, stdoutBytes: stdout.bytes };
}

/** A `kernelcov` command that is running. */
export interface RunningCommand {
  readonly pid: number;
  /** Resolves when its standard output or standard error holds `text`. */
  readonly printed: (text: string) => Promise<void>;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<
    { status: number | null; signal: string | null; stdout: string; stderr: string }
  >;
}

/** This environment, with `kernelcov` told to use the runtime that runs the test. */
export function runtimeEnvironment(): NodeJS.ProcessEnv {
  const path = `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}`;
  return { ...process.env, KERNELCOV_RUNTIME: runtimeName(), PATH: path };
}

/** Starts `kernelcov` on the runtime that runs the test. */
export function startKernelcov(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; stdin?: string; prefix?: string[] } = {},
): RunningCommand {
  const [program, ...rest] = [...options.prefix ?? [], KERNELCOV, ...args];
  const child = spawn(program!, rest, {
    cwd: options.cwd,
    env: { ...runtimeEnvironment(), ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => {});
  child.stdin.end(options.stdin ?? "");
  let stdout = "";
  let stderr = "";
  let onOutput: () => void = () => {};
  child.stdout.on("data", (bytes) => {
    stdout += bytes;
    onOutput();
  });
  child.stderr.on("data", (bytes) => {
    stderr += bytes;
    onOutput();
  });
  const { promise, resolve, reject } = Promise.withResolvers<
    Awaited<RunningCommand["ended"]>
  >();
  child.on("error", reject);
  child.on("close", (status, signal) => resolve({ status, signal, stdout, stderr }));
  return {
    pid: child.pid!,
    printed: (text) =>
      new Promise((resolve, reject) => {
        onOutput = () => {
          if (stdout.includes(text) || stderr.includes(text)) resolve();
        };
        onOutput();
        promise.then((end) => reject(new RangeError(`It ended: ${JSON.stringify(end)}`)), reject);
      }),
    // Not child.kill(): in Deno the status is then lost, whatever the process made of the signal.
    kill: (signal) => void process.kill(child.pid!, signal),
    ended: promise,
  };
}

/** The folders that guests of a `kernelcov` process have, wherever they may be; of all processes by default. */
export function guestFolders(pid?: number): string[] {
  const owner = pid === undefined ? "" : `-${pid}-`;
  const places = new Set([tmpdir(), ...memoryFolders().map(({ path }) => path)]);
  return [...places].flatMap((place) =>
    readdirSync(place).filter((name) => name.startsWith("kernelcov-guest-") && name.includes(owner))
      .map((name) => join(place, name))
  );
}

/** Numbers of the processes below `pid`, from `/proc`. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...children.get(parent) ?? [], Number(name)]);
    } catch {
      // It has just ended.
    }
  }
  const found: number[] = [];
  const open = [pid];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    found.push(...children.get(at) ?? []);
    open.push(...children.get(at) ?? []);
  }
  return found;
}

/** Whether a process is there and no zombie. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat[stat.lastIndexOf(")") + 2] !== "Z";
  } catch {
    return false;
  }
}
