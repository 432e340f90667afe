import { tryReadText } from "./files.ts";
import { nodeBuiltin } from "./node_builtins.ts";

/** The JavaScript runtimes this library runs in; `unknown` is any other. */
export type RuntimeName = "deno" | "bun" | "unknown";

// Deno's own functions first: loading Node's for it takes a script longer than most that it does.
interface RuntimeGlobals {
  readonly Deno?: {
    readonly version: { readonly deno: string };
    readonly build: { readonly os: string; readonly arch: string };
    readonly args: readonly string[];
    readonly env: {
      get(name: string): string | undefined;
      set(name: string, value: string): void;
      toObject(): Record<string, string>;
    };
    readonly pid: number;
    readonly ppid: number;
    cwd(): string;
    osRelease(): string;
    uid(): number | null;
    exit(code: number): never;
  };
  readonly Bun?: { readonly version: string };
  readonly process: {
    readonly platform: string;
    readonly arch: string;
    readonly argv: readonly string[];
    readonly env: Record<string, string | undefined>;
    readonly pid: number;
    readonly ppid: number;
    cwd(): string;
    getuid?(): number;
    exit(code: number): never;
  };
}

/** Which runtime this is. */
export function runtimeName(): RuntimeName {
  const globals = globalThis as unknown as RuntimeGlobals;
  if (globals.Deno !== undefined) return "deno";
  return globals.Bun === undefined ? "unknown" : "bun";
}

/**
 * Whether the calling thread runs a script of its own in Deno, such as a test file, rather than being a Worker of one.
 * Not known of other runtimes.
 */
export function isDenoScript(): boolean {
  return runtimeName() === "deno" && !("DedicatedWorkerGlobalScope" in globalThis);
}

/** Whether the calling thread is a Worker of a script. */
export function isWorkerThread(): boolean {
  const { Bun } = globalThis as { readonly Bun?: { readonly isMainThread: boolean } };
  return Bun === undefined ? "DedicatedWorkerGlobalScope" in globalThis : !Bun.isMainThread;
}

/** The runtime's own version, such as `2.9.6`; empty where unknown. */
export function runtimeVersion(): string {
  const globals = globalThis as unknown as RuntimeGlobals;
  return globals.Deno?.version.deno ?? globals.Bun?.version ?? "";
}

/** The operating system's name, such as `linux`. */
export function systemName(): string {
  const globals = globalThis as unknown as RuntimeGlobals;
  return globals.Deno?.build.os ?? globals.process.platform;
}

/** The kernel's release, such as `6.12.117`; empty where the runtime does not permit to ask. */
export function systemRelease(): string {
  const globals = globalThis as unknown as RuntimeGlobals;
  const release = permitted(() => globals.Deno?.osRelease());
  if (release !== undefined) return release;
  // In Deno a file needs another permission; in Bun it is read sooner than `node:os` is loaded.
  const text = tryReadText("/proc/sys/kernel/osrelease")?.trim();
  return text ?? (globals.Deno === undefined ? nodeBuiltin("node:os").release() : "");
}

/** Kept, since a test may give `process` another architecture. */
let machine: string | undefined;

/** The machine's architecture as `uname -m` has it: `x86_64`, `aarch64`, `riscv64`. */
export function machineName(): string {
  const globals = globalThis as unknown as RuntimeGlobals;
  return machine ??= globals.Deno?.build.arch ?? MACHINES[globals.process.arch] ??
    nodeBuiltin("node:os").machine();
}

/** Names of architectures by Node's: to load `node:os` takes Bun longer than all that it is asked here. */
const MACHINES: Readonly<Record<string, string>> = {
  x64: "x86_64",
  arm64: "aarch64",
  riscv64: "riscv64",
};

/** The id of this process. */
export function processId(): number {
  const globals = globalThis as unknown as RuntimeGlobals;
  return globals.Deno?.pid ?? globals.process.pid;
}

/** The id of the process that started this one. */
export function parentProcessId(): number {
  const globals = globalThis as unknown as RuntimeGlobals;
  return globals.Deno?.ppid ?? globals.process.ppid;
}

/** The id of this process's user; `undefined` where there are none, or the runtime does not permit to ask. */
export function userId(): number | undefined {
  const globals = globalThis as unknown as RuntimeGlobals;
  if (globals.Deno === undefined) return globals.process.getuid?.();
  return permitted(() => globals.Deno?.uid()) ?? undefined;
}

/** The working folder. */
export function workingFolder(): string {
  const globals = globalThis as unknown as RuntimeGlobals;
  return globals.Deno?.cwd() ?? globals.process.cwd();
}

/** The user's folder: `$HOME`, which needs no more permission than the environment, or what the system knows. */
export function homeFolder(): string {
  const home = environmentVariable("HOME");
  return home === undefined || home === "" ? nodeBuiltin("node:os").homedir() : home;
}

/** Ends this process. */
export function exitProcess(code: number): never {
  const globals = globalThis as unknown as RuntimeGlobals;
  return globals.Deno === undefined ? globals.process.exit(code) : globals.Deno.exit(code);
}

/** Arguments of the script, without the runtime and the script itself. */
export function scriptArguments(): readonly string[] {
  const globals = globalThis as unknown as RuntimeGlobals;
  return globals.Deno?.args ?? globals.process.argv.slice(2);
}

/** A variable of the environment; `undefined` also where the runtime does not permit to read it. */
export function environmentVariable(name: string): string | undefined {
  const globals = globalThis as unknown as RuntimeGlobals;
  return permitted(() =>
    globals.Deno === undefined ? globals.process.env[name] : globals.Deno.env.get(name)
  );
}

/** Sets a variable of this process and of those that it starts; does nothing where the runtime does not permit it. */
export function setEnvironmentVariable(name: string, value: string): void {
  const globals = globalThis as unknown as RuntimeGlobals;
  permitted(() => {
    if (globals.Deno === undefined) globals.process.env[name] = value;
    else globals.Deno.env.set(name, value);
  });
}

/** All variables of the environment. */
export function environmentVariables(): Record<string, string> {
  const globals = globalThis as unknown as RuntimeGlobals;
  return globals.Deno?.env.toObject() ?? { ...globals.process.env as Record<string, string> };
}

/** Path or URL of the file that the runtime was started with: under a test runner, the test file; empty if unknown. */
export function mainModule(): string {
  const globals = globalThis as {
    readonly Deno?: { readonly mainModule: string };
    readonly Bun?: { readonly main: string };
  };
  try {
    return globals.Deno?.mainModule ?? globals.Bun?.main ?? "";
  } catch {
    return ""; // Deno without --allow-read
  }
}

/** Whether an error is Deno's for a missing permission. */
export function isNotPermitted(error: unknown): boolean {
  return error instanceof Error && error.name === "NotCapable";
}

/** What `ask` answers; `undefined` where Deno was not given the permission. */
function permitted<Answer>(ask: () => Answer): Answer | undefined {
  try {
    return ask();
  } catch (error) {
    if (isNotPermitted(error)) return undefined;
    throw error;
  }
}
