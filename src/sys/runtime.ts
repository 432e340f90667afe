/** The JavaScript runtimes this library runs in; `unknown` is any other. */
export type RuntimeName = "deno" | "bun" | "unknown";

// Deno's own functions first: loading Node's for it takes a script longer than most that it does.
interface RuntimeGlobals {
  readonly Deno?: {
    readonly version: { readonly deno: string };
    readonly args: readonly string[];
    readonly env: { get(name: string): string | undefined };
  };
  readonly Bun?: { readonly version: string };
  readonly process: {
    readonly argv: readonly string[];
    readonly env: Readonly<Record<string, string | undefined>>;
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

/** The runtime's own version, such as `2.9.6`; empty where unknown. */
export function runtimeVersion(): string {
  const globals = globalThis as unknown as RuntimeGlobals;
  return globals.Deno?.version.deno ?? globals.Bun?.version ?? "";
}

/** Arguments of the script, without the runtime and the script itself. */
export function scriptArguments(): readonly string[] {
  const globals = globalThis as unknown as RuntimeGlobals;
  return globals.Deno?.args ?? globals.process.argv.slice(2);
}

/** A variable of the environment; `undefined` also where the runtime does not permit to read it. */
export function environmentVariable(name: string): string | undefined {
  const globals = globalThis as unknown as RuntimeGlobals;
  try {
    return globals.Deno === undefined ? globals.process.env[name] : globals.Deno.env.get(name);
  } catch {
    return undefined; // Deno without --allow-env
  }
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
